/** The views of a page in a dialog: their addresses, and what can be done with them. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { View } from "~/api/schema";
import { changeView, deleteView, viewsQuery } from "~/api/views";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useMay, useSession } from "~/session/session";
import { Button } from "~/ui/controls";
import { Dialog } from "~/ui/dialog";
import dialogStyles from "~/ui/dialog.module.css";
import { errorOf, FormProblem, TextField } from "~/ui/form";
import { Confirm, FormDialog } from "~/ui/form-dialog";
import { ManagedBy } from "~/ui/managed-by";
import styles from "./views.module.css";

type Open = { kind: "rename" | "delete"; view: View };

export function ManageViews({ views, onClose }: { views: readonly View[]; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const [open, setOpen] = useState<Open>();
  const renew = () => client.invalidateQueries({ queryKey: viewsQuery.queryKey });
  const share = useMutation({
    mutationFn: (view: View) => changeView(view, { shared: !view.shared }),
    onSettled: renew,
  });
  const back = () => setOpen(undefined);
  if (open?.kind === "rename") return <Rename view={open.view} onDone={renew} onClose={back} />;
  if (open?.kind === "delete") {
    const { view } = open;
    return (
      <Confirm
        title={t("views.deleteTitle", { name: view.name })}
        text={t(view.shared ? "views.deleteShared" : "views.deleteText")}
        submit={t("action.delete")}
        onSubmit={() => deleteView(view).then(renew)}
        onClose={back}
      />
    );
  }
  return (
    <Dialog label={t("views.manageTitle")} onClose={onClose}>
      <div className={dialogStyles.form}>
        <h2>{t("views.manageTitle")}</h2>
        {views.length === 0 && <p>{t("views.none")}</p>}
        <ul className={styles.list}>
          {views.map((view) => (
            <Row key={view.id} view={view} onShare={() => share.mutate(view)} onOpen={setOpen} />
          ))}
        </ul>
        <FormProblem error={share.error} subject={t("views.title")} />
        <div className={dialogStyles.foot}>
          <Button onClick={onClose}>{t("action.close")}</Button>
        </div>
      </div>
    </Dialog>
  );
}

function Row({ view, onShare, onOpen }: { view: View; onShare: () => void; onOpen: (open: Open) => void }) {
  const t = useT();
  const may = useMay();
  const own = useSession()?.user?.id === view.owner;
  const write = may("views.write");
  const id = `view-${view.id}`;
  const action = (word: string, act: () => void) => (
    <Button look="quiet" aria-describedby={id} onClick={act}>
      {word}
    </Button>
  );
  return (
    <li className={styles.row}>
      <Link id={id} {...paths.view(view.id)}>
        {view.name}
      </Link>
      {view.shared && view.owner_name != null && <small>{t("views.sharedBy", { name: view.owner_name })}</small>}
      {view.managed_by != null ? (
        <ManagedBy file={view.managed_by} />
      ) : (
        <>
          {(write || (own && !view.shared)) && action(t("views.rename"), () => onOpen({ kind: "rename", view }))}
          {(write || (own && view.shared)) && action(t(view.shared ? "views.unshare" : "views.shareNow"), onShare)}
          {(write || own) && action(t("action.delete"), () => onOpen({ kind: "delete", view }))}
        </>
      )}
    </li>
  );
}

type RenameProps = { view: View; onDone: () => Promise<unknown>; onClose: () => void };

function Rename({ view, onDone, onClose }: RenameProps) {
  const t = useT();
  const [name, setName] = useState(view.name);
  return (
    <FormDialog
      title={t("views.renameTitle", { name: view.name })}
      submit={t("action.save")}
      disabled={name.trim() === ""}
      fields={["name"]}
      onSubmit={() => changeView(view, { name: name.trim() }).then(onDone)}
      onClose={onClose}
    >
      {(error) => (
        <TextField
          label={t("list.name")}
          first
          required
          maxLength={100}
          value={name}
          error={errorOf(error, "name")}
          onChange={setName}
        />
      )}
    </FormDialog>
  );
}
