/** Adding an agent: what it shall be called gives a one-use token in three ready commands; then it is waited for. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { createEnrolmentToken } from "~/api/agents";
import { RequestError } from "~/api/problem";
import { useT } from "~/i18n";
import { Button } from "~/ui/controls";
import { Dialog } from "~/ui/dialog";
import dialog from "~/ui/dialog.module.css";
import { errorOf, FormProblem, SelectField, TextField } from "~/ui/form";
import { Enrolment } from "./enrolment";
import { parseLabels } from "./labels";
import { LabelsField } from "./labels-field";
import { NotServed } from "./not-served";

/** Seconds for which a token can be used. */
const lives = [3600, 86_400, 604_800] as const;

export function AddAgent({ onClose }: { onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: createEnrolmentToken,
    onSuccess: () => client.invalidateQueries({ queryKey: ["agents", "tokens"] }),
  });
  const title = t("agents.addTitle");
  return (
    <Dialog label={title} onClose={onClose}>
      {make.data === undefined ? (
        <Form
          title={title}
          error={make.error}
          pending={make.isPending}
          onRetry={make.reset}
          onSubmit={make.mutate}
          onClose={onClose}
        />
      ) : (
        <Enrolment made={make.data} onAgain={make.reset} onClose={onClose} />
      )}
    </Dialog>
  );
}

type FormProps = {
  title: string;
  error: unknown;
  pending: boolean;
  onRetry: () => void;
  onSubmit: (wanted: Parameters<typeof createEnrolmentToken>[0]) => void;
  onClose: () => void;
};

function Form({ title, error, pending, onRetry, onSubmit, onClose }: FormProps) {
  const t = useT();
  const [name, setName] = useState("");
  const [labels, setLabels] = useState("");
  const [group, setGroup] = useState("");
  const [life, setLife] = useState<string>(String(lives[0]));
  const parsed = parseLabels(labels);
  const notServed = error instanceof RequestError && error.is("agents_not_served");
  if (notServed) return <Refused title={title} onRetry={onRetry} onClose={onClose} />;
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (pending || parsed.refused.length > 0) return;
    onSubmit({
      ...(name.trim() !== "" && { name: name.trim() }),
      ...(group.trim() !== "" && { group: group.trim() }),
      ...(Object.keys(parsed.labels).length > 0 && { labels: parsed.labels }),
      expires_in_seconds: Number(life),
    });
  };
  return (
    <form className={dialog.form} onSubmit={send} noValidate>
      <h2>{title}</h2>
      <p>{t("agents.addText")}</p>
      <TextField
        label={t("list.name")}
        hint={t("agents.nameHint")}
        first
        maxLength={100}
        value={name}
        error={errorOf(error, "name")}
        onChange={setName}
      />
      <TextField
        label={t("agents.group")}
        hint={t("agents.groupHint")}
        maxLength={100}
        value={group}
        error={errorOf(error, "group")}
        onChange={setGroup}
      />
      <LabelsField label={t("agents.labels")} value={labels} error={errorOf(error, "labels")} onChange={setLabels} />
      <SelectField
        label={t("agents.life")}
        hint={t("agents.lifeHint")}
        value={life}
        error={errorOf(error, "expires_in_seconds")}
        options={lives.map((seconds) => ({ value: String(seconds), label: t(`agents.life.${seconds}`) }))}
        onChange={setLife}
      />
      <FormProblem error={error} subject={title} fields={["name", "group", "labels", "expires_in_seconds"]} />
      <div className={dialog.foot}>
        <Button onClick={onClose}>{t("action.cancel")}</Button>
        <Button type="submit" look="primary" disabled={pending || parsed.refused.length > 0}>
          {t("agents.makeCommand")}
        </Button>
      </div>
    </form>
  );
}

type RefusedProps = { title: string; onRetry: () => void; onClose: () => void };

/** No agent can be added: what to do comes in place of the form. */
function Refused({ title, onRetry, onClose }: RefusedProps) {
  const t = useT();
  return (
    <div className={dialog.form}>
      <h2>{title}</h2>
      <NotServed />
      <div className={dialog.foot}>
        <Button onClick={onRetry}>{t("action.retry")}</Button>
        <Button look="primary" onClick={onClose}>
          {t("action.close")}
        </Button>
      </div>
    </div>
  );
}
