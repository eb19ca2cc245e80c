/** What each setting means, in the reader's language: in English the server's own words, which are passed through. */
import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { OptionName } from "~/features/new-job/options";

export const OPTION_TEXTS: Readonly<Record<OptionName, MessageDescriptor>> = {
  learning_rate: msg({ id: "option.learning_rate", message: "{description}" }),
  batch_size: msg({ id: "option.batch_size", message: "{description}" }),
  steps: msg({ id: "option.steps", message: "{description}" }),
  resolution: msg({ id: "option.resolution", message: "{description}" }),
  lora_rank: msg({ id: "option.lora_rank", message: "{description}" }),
  lora_alpha: msg({ id: "option.lora_alpha", message: "{description}" }),
  seed: msg({ id: "option.seed", message: "{description}" }),
  lr_scheduler: msg({ id: "option.lr_scheduler", message: "{description}" }),
  lr_warmup_steps: msg({ id: "option.lr_warmup_steps", message: "{description}" }),
  optimizer: msg({ id: "option.optimizer", message: "{description}" }),
  ema_decay: msg({ id: "option.ema_decay", message: "{description}" }),
  gradient_accumulation_steps: msg({ id: "option.gradient_accumulation_steps", message: "{description}" }),
  gradient_checkpointing: msg({ id: "option.gradient_checkpointing", message: "{description}" }),
  mixed_precision: msg({ id: "option.mixed_precision", message: "{description}" }),
  min_snr_gamma: msg({ id: "option.min_snr_gamma", message: "{description}" }),
  noise_offset: msg({ id: "option.noise_offset", message: "{description}" }),
  caption_dropout: msg({ id: "option.caption_dropout", message: "{description}" }),
  horizontal_flip: msg({ id: "option.horizontal_flip", message: "{description}" }),
  train_val_split: msg({ id: "option.train_val_split", message: "{description}" }),
  validation_every: msg({ id: "option.validation_every", message: "{description}" }),
  sample_prompts: msg({ id: "option.sample_prompts", message: "{description}" }),
  sample_every: msg({ id: "option.sample_every", message: "{description}" }),
  checkpoint_every: msg({ id: "option.checkpoint_every", message: "{description}" }),
  keep_checkpoints: msg({ id: "option.keep_checkpoints", message: "{description}" }),
  early_stopping_patience: msg({ id: "option.early_stopping_patience", message: "{description}" }),
  prior_preservation: msg({ id: "option.prior_preservation", message: "{description}" }),
  class_prompt: msg({ id: "option.class_prompt", message: "{description}" }),
  class_images: msg({ id: "option.class_images", message: "{description}" }),
  prior_loss_weight: msg({ id: "option.prior_loss_weight", message: "{description}" }),
  text_encoder_lora: msg({ id: "option.text_encoder_lora", message: "{description}" }),
};
