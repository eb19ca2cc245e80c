import { useLingui } from "@lingui/react/macro";
import { Button, type ButtonProps, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, type SubmitEvent, useState } from "react";
import { Failure } from "~/ui/failure";

interface Props {
  title: string;
  note: ReactNode;
  confirm: string;
  decline?: string;
  isReasonRequired: boolean;
  onConfirm: (reason: string) => Promise<unknown>;
  /** The harsher of two ways to do it. */
  harsher?: { label: string; onConfirm: (reason: string) => Promise<unknown> };
  button?: ButtonProps;
}

/** A button for what cannot be undone: it asks once more, and why. */
export function ReasonDialog({ title, note, confirm, decline, isReasonRequired, onConfirm, harsher, button }: Props) {
  const { t } = useLingui();
  const [isOpen, { open, close }] = useDisclosure();
  const [reason, setReason] = useState("");
  const act = useMutation({ mutationFn: (how: typeof onConfirm) => how(reason), onSuccess: close });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    act.mutate(onConfirm);
  };
  return (
    <>
      <Button variant="default" onClick={open} {...button}>
        {title}
      </Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={title}
        closeButtonProps={{ "aria-label": t`Close` }}
        lockScroll={false} // by a style element, which the page's policy refuses
      >
        <Stack component="form" onSubmit={submit}>
          <Text size="sm">{note}</Text>
          <TextInput
            label={t`Reason`}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            required={isReasonRequired}
            withAsterisk={false}
            dir="auto"
            data-autofocus
          />
          {act.error && <Failure error={act.error} />}
          <Group justify="end">
            <Button variant="default" onClick={close}>
              {decline ?? t`Let it go on`}
            </Button>
            {harsher && (
              <Button variant="outline" color="red.9" disabled={act.isPending} onClick={() => act.mutate(harsher.onConfirm)}>
                {harsher.label}
              </Button>
            )}
            <Button type="submit" color="red.9" loading={act.isPending}>
              {confirm}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
