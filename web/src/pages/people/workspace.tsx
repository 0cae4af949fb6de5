/** The open workspace: its name, how much it may have and how much it has. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, dataOf, done } from "~/api/client";
import { workspaceQuery } from "~/api/people";
import { sessionQuery } from "~/api/queries";
import type { Workspace } from "~/api/schema";
import { ifMatch, type Tagged } from "~/api/tagged";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { enter, useMay } from "~/session/session";
import { Button } from "~/ui/controls";
import { ProblemBox, Skeleton } from "~/ui/feedback";
import { errorOf, FormProblem, TextField } from "~/ui/form";
import { FormDialog } from "~/ui/form-dialog";
import { Moment } from "~/ui/moment";
import { Facts, Section } from "~/ui/page";
import settings from "../settings/settings.module.css";
import { SettingsFrame } from "../settings/settings-frame";
import { ProbeNetworksSection } from "./probe-networks";

export function WorkspacePage() {
  return (
    <SettingsFrame page="workspace">
      <Open />
    </SettingsFrame>
  );
}

function Open() {
  const t = useT();
  const may = useMay();
  const { data, error, refetch } = useQuery(workspaceQuery);
  const [deleting, setDeleting] = useState(false);
  if (data === undefined) {
    if (error === null) return <Skeleton height={200} />;
    return <ProblemBox error={error} subject={t("page.workspace")} onRetry={() => void refetch()} />;
  }
  return (
    <div className={settings.rows}>
      <Name key={data.tag} current={data} disabled={!may("workspace.write")} />
      <Use workspace={data.value} />
      {may("probes.read") && <ProbeNetworksSection />}
      {may("workspace.delete") && (
        <Section title={t("workspace.end")}>
          <p className={settings.note}>{t("workspace.deleteText")}</p>
          <Button look="danger" onClick={() => setDeleting(true)}>
            {t("workspace.delete")}
          </Button>
        </Section>
      )}
      {deleting && <DeleteDialog current={data} onClose={() => setDeleting(false)} />}
    </div>
  );
}

function Name({ current, disabled }: { current: Tagged<Workspace>; disabled: boolean }) {
  const t = useT();
  const client = useQueryClient();
  const [name, setName] = useState(current.value.name);
  const save = useMutation({
    mutationFn: () => dataOf(api.PATCH("/api/v1/workspace", { body: { name: name.trim() }, ...ifMatch(current.tag) })),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["workspace"] });
      await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
  });
  return (
    <form
      className={settings.inline}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <TextField
        label={t("list.name")}
        maxLength={100}
        disabled={disabled}
        value={name}
        error={errorOf(save.error, "name")}
        onChange={setName}
      />
      {!disabled && (
        <Button type="submit" disabled={save.isPending || name.trim() === "" || name.trim() === current.value.name}>
          {t("action.save")}
        </Button>
      )}
      <FormProblem error={save.error} subject={t("page.workspace")} fields={["name"]} />
    </form>
  );
}

function Use({ workspace: { usage, limits, created } }: { workspace: Workspace }) {
  const t = useT();
  const format = useFormat();
  const of = (has: number, limit: number | null | undefined) =>
    limit == null
      ? t("workspace.noLimit", { has: format.count(has) })
      : t("workspace.of", { has: format.count(has), limit: format.count(limit) });
  return (
    <Section title={t("workspace.use")}>
      <Facts
        items={[
          [t("page.members"), of(usage.members + usage.invitations, limits.members)],
          [t("page.tokens"), of(usage.tokens, limits.tokens)],
          [t("roles.custom"), format.count(usage.roles)],
          limits.storage_bytes != null && [t("workspace.storage"), format.volume(limits.storage_bytes)],
          [t("list.made"), <Moment key="made" time={created} />],
        ]}
      />
    </Section>
  );
}

/** Deleting takes everything in it away: the name has to be typed. */
function DeleteDialog({ current: { value, tag }, onClose }: { current: Tagged<Workspace>; onClose: () => void }) {
  const t = useT();
  const [typed, setTyped] = useState("");
  return (
    <FormDialog
      title={t("workspace.deleteTitle", { name: value.name })}
      submit={t("workspace.delete")}
      danger
      disabled={typed !== value.name}
      onClose={onClose}
      onSubmit={async () => {
        await done(api.DELETE("/api/v1/workspace", ifMatch(tag)));
        await enter();
      }}
    >
      {() => (
        <>
          <p>{t("workspace.deleteText")}</p>
          <TextField label={t("workspace.typeName")} first autoComplete="off" value={typed} onChange={setTyped} />
        </>
      )}
    </FormDialog>
  );
}
