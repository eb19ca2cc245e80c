import "~/app/styles";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { resumeStoredSession } from "~/api/stored-session";
import { Providers } from "~/app/providers";
import { chosenLanguage, speak } from "~/texts/language";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

await Promise.all([speak(chosenLanguage()), resumeStoredSession()]);
createRoot(root).render(
  <StrictMode>
    <Providers />
  </StrictMode>,
);
