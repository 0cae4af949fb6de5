/** Gives a member another role, up to one's own. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, dataOf } from "~/api/client";
import { memberQuery } from "~/api/people";
import { sessionQuery } from "~/api/queries";
import type { Member } from "~/api/schema";
import { ifMatch } from "~/api/tagged";
import { useT } from "~/i18n";
import { errorOf } from "~/ui/form";
import { FormDialog } from "~/ui/form-dialog";
import { RoleField } from "./role-field";

export function MemberRoleDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const { data: current } = useQuery(memberQuery(member.user));
  const [role, setRole] = useState(member.role);
  const change = async () => {
    if (current === undefined) return;
    const params = { path: { user: member.user } };
    await dataOf(api.PATCH("/api/v1/members/{user}", { params, body: { role }, ...ifMatch(current.tag) }));
    await Promise.all([
      client.invalidateQueries({ queryKey: ["members"] }),
      client.invalidateQueries({ queryKey: ["member"] }),
      client.invalidateQueries({ queryKey: sessionQuery.queryKey }),
    ]);
  };
  return (
    <FormDialog
      title={t("members.roleOf", { name: member.name })}
      submit={t("action.save")}
      disabled={current === undefined || role === current.value.role}
      fields={["role"]}
      onSubmit={change}
      onClose={onClose}
    >
      {(error) => <RoleField value={role} onChange={setRole} error={errorOf(error, "role")} />}
    </FormDialog>
  );
}
