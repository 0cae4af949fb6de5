/** What a probe measures: a host, a URL, another agent, or either of them where the kind takes both. */
import { useState } from "react";
import type { KindDescription } from "~/api/schema";
import { useT } from "~/i18n";
import { SelectField, TextField } from "~/ui/form";
import { AgentTarget } from "./agent-target";
import { isAgentTarget } from "./form-state";

type TargetFieldProps = {
  kind: KindDescription;
  value: string;
  error: string | undefined;
  onChange: (target: string) => void;
};

const sorts = ["agent", "address"] as const;
type Sort = (typeof sorts)[number];

/** Give it the kind as its key: another kind may take other targets. */
export function TargetField({ kind, value, error, onChange }: TargetFieldProps) {
  const t = useT();
  const takesBoth = kind.agent_target && kind.target !== "agent";
  const [chosen, setChosen] = useState<Sort>(() => (value !== "" && !isAgentTarget(kind, value) ? "address" : "agent"));
  const sort: Sort = takesBoth ? chosen : kind.agent_target ? "agent" : "address";
  return (
    <>
      {takesBoth && (
        <SelectField
          label={t("probes.targetSort")}
          value={sort}
          options={sorts.map((one) => ({ value: one, label: t(`probes.targetSort.${one}`) }))}
          onChange={(next) => {
            setChosen(sorts.find((one) => one === next) ?? "agent");
            onChange("");
          }}
        />
      )}
      {sort === "agent" ? (
        <AgentTarget
          hint={t(takesBoth ? "probes.targetServes" : "probes.targetAgent")}
          value={value}
          error={error}
          onChange={onChange}
        />
      ) : (
        <TextField
          label={t("probes.target")}
          hint={hintOf(kind, t)}
          first={!takesBoth}
          required
          mono
          maxLength={2048}
          autoCapitalize="off"
          autoComplete="off"
          value={value}
          error={error}
          onChange={onChange}
        />
      )}
    </>
  );
}

function hintOf({ target, port }: KindDescription, t: ReturnType<typeof useT>): string {
  if (target === "url") return t("probes.targetUrl");
  if (target !== "host_port") return t("probes.targetHost");
  return port == null ? t("probes.targetPort") : t("probes.targetDefaultPort", { port: String(port) });
}
