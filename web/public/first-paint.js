// Runs before the first paint, so that a stored theme never flashes. Same key and fields as src/prefs/preferences.ts.
(() => {
  const root = document.documentElement;
  try {
    const stored = JSON.parse(localStorage.getItem("netwatch.preferences") || "{}");
    if (stored.theme === "light" || stored.theme === "dark") root.dataset.theme = stored.theme;
    if (stored.rows === "comfortable") root.dataset.rows = "comfortable";
    if (stored.rail === "narrow") root.dataset.rail = "narrow";
    if (stored.language === "en" || stored.language === "de") root.lang = stored.language;
  } catch {
    // Storage is forbidden or damaged: the defaults are right.
  }
})();
