import type { ErrorBody, ErrorDetail } from "~/api/generated";

/** What the server refused, or `UNREACHABLE` when it did not answer at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: readonly ErrorDetail[] = [],
    readonly requestId: string | null = null,
  ) {
    super(message);
  }

  get isUnreachable(): boolean {
    return this.status === 0;
  }
}

export function toApiError(error: unknown, response: Response | undefined): ApiError {
  if (error instanceof ApiError) return error;
  if (response === undefined) return new ApiError(0, "UNREACHABLE", "The server does not answer.");
  if (isErrorBody(error)) {
    return new ApiError(response.status, error.error, error.message, error.details, error.request_id);
  }
  return new ApiError(response.status, "UNEXPECTED", `The server answered with status ${response.status}.`);
}

function isErrorBody(value: unknown): value is ErrorBody {
  return typeof value === "object" && value !== null && "error" in value && "message" in value && "details" in value;
}
