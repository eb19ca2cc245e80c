// Before the first paint, so that nobody sees a flash of the wrong colours, direction or language.
(() => {
  const stored = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const wanted = stored("mantine-color-scheme-value") ?? "auto";
  const isDark = wanted === "auto" ? matchMedia("(prefers-color-scheme: dark)").matches : wanted === "dark";
  const page = document.documentElement;
  page.setAttribute("data-mantine-color-scheme", isDark ? "dark" : "light");
  const language = stored("lorry-language") ?? (navigator.language.startsWith("fa") ? "fa" : "en");
  page.lang = language;
  page.dir = language === "fa" ? "rtl" : "ltr";
})();
