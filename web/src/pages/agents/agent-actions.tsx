/** What can be done with an agent: change it, let it in or not, end its session, delete it. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { changeAgent, deleteAgent, kickAgent } from "~/api/agents";
import type { Agent } from "~/api/schema";
import type { Tagged } from "~/api/tagged";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useMay } from "~/session/session";
import { Button } from "~/ui/controls";
import { FormProblem } from "~/ui/form";
import { Confirm } from "~/ui/form-dialog";
import { AgentForm } from "./agent-form";

type Open = "edit" | "kick" | "disable" | "delete";

export function AgentActions({ current }: { current: Tagged<Agent> }) {
  const t = useT();
  const may = useMay();
  const [open, setOpen] = useState<Open>();
  const { name, origin, foreign, enabled, state } = current.value;
  const enable = useEnable(current);
  if (foreign || !may("agents.write")) return null;
  const close = () => setOpen(undefined);
  return (
    <>
      <Button onClick={() => setOpen("edit")}>{t("action.edit")}</Button>
      {origin === "enrolled" && (
        <>
          {state === "online" && <Button onClick={() => setOpen("kick")}>{t("agents.kick")}</Button>}
          <Button disabled={enable.isPending} onClick={() => (enabled ? setOpen("disable") : enable.mutate(true))}>
            {t(enabled ? "users.disable" : "users.enable")}
          </Button>
          <Button look="danger" onClick={() => setOpen("delete")}>
            {t("action.delete")}
          </Button>
        </>
      )}
      <FormProblem error={enable.error} subject={name} />
      {open === "edit" && <AgentForm current={current} onClose={close} />}
      {open !== undefined && open !== "edit" && <Question what={open} current={current} onClose={close} />}
    </>
  );
}

function useEnable({ value, tag }: Tagged<Agent>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (enabled: boolean) => changeAgent(value.id, tag, { enabled }),
    onSettled: () => client.invalidateQueries({ queryKey: ["agents"] }),
  });
}

type QuestionProps = { what: Exclude<Open, "edit">; current: Tagged<Agent>; onClose: () => void };

/** Asks once more before the agent loses something. */
function Question({ what, current: { value, tag }, onClose }: QuestionProps) {
  const t = useT();
  const client = useQueryClient();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as AppSearch;
  const words = { kick: t("agents.kick"), disable: t("users.disable"), delete: t("action.delete") };
  const act = {
    kick: () => kickAgent(value.id),
    disable: () => changeAgent(value.id, tag, { enabled: false }),
    delete: async () => {
      await client.cancelQueries({ queryKey: ["agents"] });
      await deleteAgent(value.id, tag);
      await navigate(paths.agents(search));
      client.removeQueries({ queryKey: ["agents", "one", value.id] });
    },
  };
  return (
    <Confirm
      title={t(`agents.${what}Title`, { name: value.name })}
      text={t(`agents.${what}Text`)}
      submit={words[what]}
      onClose={onClose}
      onSubmit={async () => {
        await act[what]();
        await client.invalidateQueries({ queryKey: ["agents"] });
      }}
    />
  );
}
