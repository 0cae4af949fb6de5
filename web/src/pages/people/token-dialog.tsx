/** Makes an API token, or changes what one is called and may do; its secret stays. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, dataOf } from "~/api/client";
import { tokenQuery } from "~/api/people";
import type { Token, TokenMade } from "~/api/schema";
import { ifMatch } from "~/api/tagged";
import { useT } from "~/i18n";
import { errorOf, SelectField, TextField } from "~/ui/form";
import { FormDialog } from "~/ui/form-dialog";
import { PermissionsField } from "./permissions-field";

/** Days after which a token ends. */
const lives = ["7", "30", "90", "365"] as const;
const millisecondsOfDay = 86_400_000;

type TokenDialogProps = { token?: Token; onMade?: (made: TokenMade) => void; onClose: () => void };

export function TokenDialog({ token, onMade, onClose }: TokenDialogProps) {
  const t = useT();
  const client = useQueryClient();
  const { data: current } = useQuery({ ...tokenQuery(token?.id ?? ""), enabled: token !== undefined });
  const [name, setName] = useState(token?.name ?? "");
  const [scopes, setScopes] = useState<string[]>(token?.scopes ?? ["traffic.read"]);
  const [life, setLife] = useState(token === undefined ? "90" : "same");
  const save = async () => {
    const expires = endOf(life);
    const body = { name: name.trim(), scopes, ...(expires !== undefined && { expires }) };
    if (token === undefined) onMade?.(await dataOf(api.POST("/api/v1/tokens", { body })));
    else if (current !== undefined) {
      const params = { path: { token: token.id } };
      await dataOf(api.PATCH("/api/v1/tokens/{token}", { params, body, ...ifMatch(current.tag) }));
      await client.invalidateQueries({ queryKey: ["tokens"] });
      await client.invalidateQueries({ queryKey: ["token"] });
    }
  };
  return (
    <FormDialog
      title={token === undefined ? t("tokens.create") : t("tokens.editTitle", { name: token.name })}
      submit={t(token === undefined ? "tokens.create" : "action.save")}
      disabled={name.trim() === "" || scopes.length === 0 || (token !== undefined && current === undefined)}
      fields={["name", "scopes", "expires"]}
      onSubmit={save}
      onClose={onClose}
    >
      {(error) => (
        <>
          <TextField
            label={t("list.name")}
            hint={t("tokens.nameHint")}
            first
            required
            maxLength={100}
            value={name}
            error={errorOf(error, "name")}
            onChange={setName}
          />
          <SelectField
            label={t("list.ends")}
            value={life}
            error={errorOf(error, "expires")}
            options={[
              ...(token === undefined ? [] : [{ value: "same", label: t("tokens.sameEnd") }]),
              ...lives.map((days) => ({ value: days, label: t("tokens.days", { n: Number(days) }) })),
              ...(token === undefined ? [{ value: "never", label: t("tokens.noEnd") }] : []),
            ]}
            onChange={setLife}
          />
          <PermissionsField
            label={t("tokens.scopes")}
            value={scopes}
            error={errorOf(error, "scopes")}
            onChange={setScopes}
          />
        </>
      )}
    </FormDialog>
  );
}

function endOf(life: string): string | undefined {
  const days = Number(life);
  return Number.isNaN(days) ? undefined : new Date(Date.now() + days * millisecondsOfDay).toISOString();
}
