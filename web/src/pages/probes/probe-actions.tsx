/** What can be done with a probe: run it now, change, pause or delete it. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { changeProbe, deleteProbe } from "~/api/probes";
import type { KindDescription, Probe } from "~/api/schema";
import type { Tagged } from "~/api/tagged";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useMay } from "~/session/session";
import { Button, buttonClass } from "~/ui/controls";
import { FormProblem } from "~/ui/form";
import { Confirm } from "~/ui/form-dialog";
import { ManagedBy } from "~/ui/managed-by";
import { RunDialog } from "./run-dialog";

type ProbeActionsProps = { current: Tagged<Probe>; kind: KindDescription };

export function ProbeActions({ current, kind }: ProbeActionsProps) {
  const t = useT();
  const may = useMay();
  const search = useSearch({ strict: false }) as AppSearch;
  const [open, setOpen] = useState<"run" | "delete">();
  const { id, enabled, managed_by: file } = current.value;
  const pause = usePause(current);
  return (
    <>
      {may("probes.run") && (
        <Button icon="play" onClick={() => setOpen("run")}>
          {t("probes.runNow")}
        </Button>
      )}
      {file != null && <ManagedBy file={file} />}
      {may("probes.write") && file == null && (
        <>
          <Button disabled={pause.isPending} onClick={() => pause.mutate()}>
            {t(enabled ? "probe.pause" : "probe.resume")}
          </Button>
          <Link {...paths.editProbe(id, search)} className={buttonClass()}>
            {t("action.edit")}
          </Link>
          <Button look="danger" onClick={() => setOpen("delete")}>
            {t("action.delete")}
          </Button>
        </>
      )}
      <FormProblem error={pause.error} subject={current.value.name} />
      {open === "run" && <RunDialog probe={current.value} kind={kind} onClose={() => setOpen(undefined)} />}
      {open === "delete" && <DeleteDialog current={current} onClose={() => setOpen(undefined)} />}
    </>
  );
}

function usePause({ value, tag }: Tagged<Probe>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => changeProbe(value.id, tag, { enabled: !value.enabled }),
    onSettled: () => client.invalidateQueries({ queryKey: ["probes"] }),
  });
}

function DeleteDialog({ current: { value, tag }, onClose }: { current: Tagged<Probe>; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as AppSearch;
  return (
    <Confirm
      title={t("probe.deleteTitle", { name: value.name })}
      text={t("probe.deleteText")}
      submit={t("action.delete")}
      onClose={onClose}
      onSubmit={async () => {
        await client.cancelQueries({ queryKey: ["probes"] });
        await deleteProbe(value.id, tag);
        await navigate(paths.probes(search));
        client.removeQueries({ queryKey: ["probes", "one", value.id] });
        await client.invalidateQueries({ queryKey: ["probes", "list"] });
      }}
    />
  );
}
