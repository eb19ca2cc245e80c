/** Sending files with a bar that moves: `fetch` does not tell how much of a body has left. */
import { ApiError, toApiError } from "~/api/errors";
import type { AdditionOut, DatasetOut } from "~/api/generated";
import { session } from "~/api/session";
import type { Delivery } from "~/features/datasets/sending";

export async function deliver({ dataset, name, key, files, onSent }: Delivery): Promise<DatasetOut> {
  const token = await session.fresh();
  const form = new FormData();
  if (dataset === null) form.append("name", name);
  for (const { path, file } of files) form.append("files", file, path);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", dataset === null ? "/api/datasets/upload" : `/api/datasets/${dataset.id}/items`);
    request.setRequestHeader("Authorization", `Bearer ${token ?? ""}`);
    if (dataset === null) request.setRequestHeader("Idempotency-Key", key);
    request.responseType = "json";
    request.upload.onprogress = (event) => onSent(event.loaded / event.total);
    request.onerror = () => reject(toApiError(null, undefined));
    request.onload = () => {
      const body: unknown = request.response;
      if (request.status === 201) resolve((body as { data: DatasetOut }).data);
      else if (request.status === 200) resolve((body as { data: AdditionOut }).data.dataset);
      else reject(refusal(body, request.status));
    };
    request.send(form);
  });
}

function refusal(body: unknown, status: number): ApiError {
  return toApiError(body, new Response(null, { status }));
}
