import { QueryClient } from "@tanstack/react-query";
import { ApiError, toApiError } from "~/api/errors";
import { client } from "~/api/generated/client.gen";
import { session } from "~/api/session";

declare module "@tanstack/react-query" {
  interface Register {
    defaultError: ApiError;
  }
}

const MOST_RETRIES = 3;

client.setConfig({ auth: async () => (await session.fresh()) ?? undefined, baseUrl: "", throwOnError: true });

client.interceptors.error.use((error, response, _request, options) => {
  const failure = toApiError(error, response);
  if (failure.status === 401 && options.security) session.end();
  return failure;
});

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < MOST_RETRIES && (error.status === 503 || error.status === 429),
      staleTime: 2_000,
    },
  },
});
