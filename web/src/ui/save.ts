import { downloadArtifact, linkArtifact } from "~/api/generated";

/** Hand `content` to the browser's downloads. */
export function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  follow(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function follow(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

/** Hand a file to the browser's downloads: from its copy in Storage by a signed link, or through the token. */
export async function saveArtifact(id: string, name: string): Promise<void> {
  const path = { artifact_id: id };
  const { url, expires_at: expiry } = (await linkArtifact({ path })).data.data;
  if (expiry === null) save((await downloadArtifact({ path, parseAs: "blob" })).data, name);
  else follow(url, name);
}
