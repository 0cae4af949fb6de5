/** The views of a page behind one button: open one, save what is shown, or look after them. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { viewsQuery } from "~/api/views";
import { useT } from "~/i18n";
import { targetOf, type ViewPage } from "~/lib/views";
import { useMay } from "~/session/session";
import { Button } from "~/ui/controls";
import { Menu, MenuItem, MenuNote } from "~/ui/menu";
import { ManageViews } from "./manage-views";
import { SaveView } from "./save-view";

export function ViewsMenu({ page }: { page: ViewPage }) {
  const t = useT();
  const may = useMay();
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<"save" | "manage">();
  const { data, error } = useQuery({ ...viewsQuery, enabled: may("views.read") });
  if (!may("views.read")) return null;
  const views = data?.filter((view) => view.page === page) ?? [];
  const close = () => setDialog(undefined);
  return (
    <>
      <Menu label={t("views.title")} trigger={(props) => <Button {...props}>{t("views.title")}</Button>}>
        {(closeMenu) => {
          const then = (act: () => void) => () => {
            closeMenu();
            act();
          };
          return (
            <>
              {views.length === 0 && <MenuNote>{t(error === null ? "views.none" : "views.unknown")}</MenuNote>}
              {views.map((view) => (
                <MenuItem key={view.id} icon="open" onSelect={then(() => void navigate(targetOf(view)))}>
                  {view.name}
                </MenuItem>
              ))}
              <MenuItem icon="include" onSelect={then(() => setDialog("save"))}>
                {t("views.save")}
              </MenuItem>
              {views.length > 0 && (
                <MenuItem icon="settings" onSelect={then(() => setDialog("manage"))}>
                  {t("views.manage")}
                </MenuItem>
              )}
            </>
          );
        }}
      </Menu>
      {dialog === "save" && <SaveView page={page} onClose={close} />}
      {dialog === "manage" && <ManageViews views={views} onClose={close} />}
    </>
  );
}
