import type { Problem } from "~/api/generated";

const KNOWN: Record<Problem, true> = {
  too_small: true,
  blurred: true,
  near_duplicate: true,
  no_caption: true,
  long_caption: true,
  odd_caption: true,
  same_caption: true,
};

/** All there are: the compiler holds the record against the server's. */
export const PROBLEMS = Object.keys(KNOWN) as Problem[];
