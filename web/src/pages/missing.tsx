import { Link } from "@tanstack/react-router";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { buttonClass } from "~/ui/controls";
import { Empty } from "~/ui/feedback";
import { Page } from "~/ui/page";

export function Missing() {
  const t = useT();
  return (
    <Page title={t("page.missing")}>
      <Empty
        title={t("missing.title")}
        action={
          <Link {...paths.overview()} className={buttonClass(true)}>
            {t("missing.action")}
          </Link>
        }
      >
        <p>{t("missing.text")}</p>
      </Empty>
    </Page>
  );
}
