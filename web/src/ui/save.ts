import { downloadArtifact } from "~/api/generated";

/** Hand `content` to the browser's downloads. */
export function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A file behind the token; no address that would work for somebody else is made. */
export async function saveArtifact(id: string, name: string): Promise<void> {
  const answer = await downloadArtifact({ path: { artifact_id: id }, parseAs: "blob" });
  save(answer.data, name);
}
