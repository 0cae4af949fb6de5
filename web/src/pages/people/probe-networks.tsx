/** Which networks probes of the workspace may measure: two lists, and what bounds them. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { probeNetworksQuery, putProbeNetworks } from "~/api/probes";
import type { ProbeNetworks } from "~/api/schema";
import type { Tagged } from "~/api/tagged";
import { useT } from "~/i18n";
import { useMay } from "~/session/session";
import { Button } from "~/ui/controls";
import { ProblemBox, Skeleton } from "~/ui/feedback";
import { Field, FormProblem } from "~/ui/form";
import form from "~/ui/form.module.css";
import { ManagedNote } from "~/ui/managed-by";
import { Facts, Section } from "~/ui/page";
import settings from "../settings/settings.module.css";
import { faultAt, linesOf, type NetworkList, networksOf } from "./network-lines";

/** Networks of documentation (RFC 5737, RFC 3849). */
const example = "192.0.2.0/24\n2001:db8::/32";

export function ProbeNetworksSection() {
  const t = useT();
  const may = useMay();
  const { data, error, refetch } = useQuery(probeNetworksQuery);
  const title = t("probeNetworks.title");
  return (
    <Section title={title}>
      <p className={settings.note}>{t("probeNetworks.text")}</p>
      {data !== undefined ? (
        <Lists key={data.tag} current={data} disabled={!may("workspace.write") || data.value.managed_by != null} />
      ) : error === null ? (
        <Skeleton height={200} />
      ) : (
        <ProblemBox error={error} subject={title} onRetry={() => void refetch()} />
      )}
    </Section>
  );
}

function Lists({ current: { value, tag }, disabled }: { current: Tagged<ProbeNetworks>; disabled: boolean }) {
  const t = useT();
  const client = useQueryClient();
  const [texts, setTexts] = useState({ only: linesOf(value.only), deny: linesOf(value.deny) });
  const wanted = { only: networksOf(texts.only), deny: networksOf(texts.deny) };
  const isSame = linesOf(wanted.only) === linesOf(value.only) && linesOf(wanted.deny) === linesOf(value.deny);
  const save = useMutation({
    mutationFn: () => putProbeNetworks(wanted, tag),
    onSuccess: () => client.invalidateQueries({ queryKey: probeNetworksQuery.queryKey }),
  });
  const faults = { only: faultAt(save.error, "only"), deny: faultAt(save.error, "deny") };
  const list = (name: NetworkList) => (
    <NetworksField
      label={t(`probeNetworks.${name}`)}
      hint={t(`probeNetworks.${name}Hint`)}
      error={faults[name]?.detail}
      disabled={disabled}
      value={texts[name]}
      onChange={(text) => {
        setTexts({ ...texts, [name]: text });
        if (save.error !== null) save.reset();
      }}
    />
  );
  return (
    <form
      className={settings.inline}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <ManagedNote file={value.managed_by} />
      {list("only")}
      {list("deny")}
      <Bound site={value.site} />
      {!disabled && (
        <Button type="submit" disabled={save.isPending || isSame}>
          {t("action.save")}
        </Button>
      )}
      <FormProblem
        error={save.error}
        subject={t("probeNetworks.title")}
        fields={[faults.only, faults.deny].flatMap((fault) => (fault === undefined ? [] : [fault.parameter]))}
      />
    </form>
  );
}

type NetworksFieldProps = {
  label: string;
  hint: string;
  error: string | undefined;
  disabled: boolean;
  value: string;
  onChange: (text: string) => void;
};

function NetworksField({ label, hint, error, disabled, value, onChange }: NetworksFieldProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => (
        <textarea
          {...ids}
          rows={3}
          className={`${form.input} ${settings.lines} mono`}
          spellCheck={false}
          autoCapitalize="off"
          placeholder={disabled ? "" : example}
          disabled={disabled}
          maxLength={16_384}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** What the configuration of the server says: it holds for every workspace. */
function Bound({ site: { allow, deny } }: { site: ProbeNetworks["site"] }) {
  const t = useT();
  const none = t("probeNetworks.none");
  const allowed =
    allow.length === 0 ? t("probeNetworks.public") : t("probeNetworks.publicAnd", { list: allow.join(", ") });
  return (
    <Facts
      items={[
        [t("probeNetworks.siteAllow"), allowed],
        [t("probeNetworks.siteDeny"), deny.length === 0 ? none : deny.join(", ")],
      ]}
    />
  );
}
