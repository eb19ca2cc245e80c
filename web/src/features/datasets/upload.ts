/** Sending files with a bar that moves: `fetch` does not tell how much of a body has left. */
import { ApiError, toApiError } from "~/api/errors";
import type { DatasetOut } from "~/api/generated";
import { session } from "~/api/session";

export interface Upload {
  name: string;
  files: File[];
  onProgress: (percent: number) => void;
}

export async function upload({ name, files, onProgress }: Upload): Promise<DatasetOut> {
  const token = await session.fresh();
  const form = new FormData();
  form.append("name", name);
  for (const file of files) form.append("files", file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/datasets/upload");
    request.setRequestHeader("Authorization", `Bearer ${token ?? ""}`);
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress((100 * event.loaded) / event.total);
    request.onerror = () => reject(toApiError(null, undefined));
    request.onload = () => {
      const body: unknown = request.response;
      if (request.status === 201) resolve((body as { data: DatasetOut }).data);
      else reject(refusal(body, request.status));
    };
    request.send(form);
  });
}

function refusal(body: unknown, status: number): ApiError {
  return toApiError(body, new Response(null, { status }));
}
