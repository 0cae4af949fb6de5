/** The composition root: language first, then the page. */
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { LanguageProvider, loadLanguage } from "~/i18n";
import { watchStorage } from "~/prefs/preferences";
import { router } from "./router";
import { queryClient } from "./services";
import "./tokens.css";
import "./base.css";

watchStorage();

const language = await loadLanguage();
const place = document.getElementById("root");
if (place !== null) {
  createRoot(place).render(
    <StrictMode>
      <LanguageProvider initial={language}>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </LanguageProvider>
    </StrictMode>,
  );
}
