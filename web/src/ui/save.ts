import { openLink } from "~/api/generated";

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

/** Hand a file to the browser's downloads, which show how far it is and go on after a break. */
export async function saveArtifact(id: string, name: string): Promise<void> {
  follow((await openLink({ path: { artifact_id: id }, query: { name } })).data.data.url, name);
}
