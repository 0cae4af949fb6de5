/** A link that was used, is too old or incomplete: nobody is told which. */
import { Link } from "@tanstack/react-router";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { buttonClass } from "~/ui/controls";
import { Entry } from "./entry";

export function LinkGone() {
  const t = useT();
  return (
    <Entry title={t("start.refused")}>
      <p>{t("start.once")}</p>
      <p>{t("link.askAgain")}</p>
      <Link {...paths.overview()} className={buttonClass()}>
        {t("signIn.go")}
      </Link>
    </Entry>
  );
}
