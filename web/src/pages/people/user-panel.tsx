/** One user: state, workspaces, sessions, and what an administrator can do: links, disabling, deleting. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, dataOf, done } from "~/api/client";
import { membershipsQuery, userQuery, userSessionsQuery } from "~/api/people";
import type { User, UserLink } from "~/api/schema";
import { ifMatch, type Tagged } from "~/api/tagged";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { useRoleName } from "~/session/role-name";
import { useSession } from "~/session/session";
import { Button, Mark } from "~/ui/controls";
import { ProblemBox, Skeleton } from "~/ui/feedback";
import { FormProblem } from "~/ui/form";
import { Confirm } from "~/ui/form-dialog";
import { Moment } from "~/ui/moment";
import { Facts, Hint, Section } from "~/ui/page";
import { Panel } from "~/ui/panel";
import { linkOf, SecretDialog } from "~/ui/secret";
import styles from "./people.module.css";
import { UserDialog } from "./user-dialog";

export function UserPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const t = useT();
  const { data, error, refetch } = useQuery(userQuery(id));
  return (
    <Panel label={t("users.user")} title={<span className="mono">{data?.value.name ?? ""}</span>} onClose={onClose}>
      {data === undefined ? (
        error === null ? (
          <Skeleton height={240} />
        ) : (
          <ProblemBox error={error} subject={t("users.user")} onRetry={() => void refetch()} />
        )
      ) : (
        <>
          <About user={data.value} />
          <Actions current={data} onGone={onClose} />
          <Memberships user={id} />
          <Sessions user={id} />
        </>
      )}
    </Panel>
  );
}

function About({ user }: { user: User }) {
  const t = useT();
  return (
    <Facts
      items={[
        [t("account.displayName"), user.display_name],
        [
          t("account.email"),
          user.email == null ? (
            "–"
          ) : (
            <>
              {user.email} <Hint>{t(user.email_verified ? "account.verified" : "account.unverified")}</Hint>
            </>
          ),
        ],
        [
          t("column.state"),
          <Mark key="state" status={user.disabled ? "paused" : "ok"}>
            {t(user.disabled ? "users.disabled" : "users.active")}
          </Mark>,
        ],
        [t("users.site"), t(user.site_administrator ? "flow.yes" : "flow.no")],
        [t("users.credentials"), user.credentials.join(", ") || t("users.noCredentials")],
        [t("list.made"), <Moment key="made" time={user.created} />],
        [t("users.lastSignIn"), <Moment key="last" time={user.last_sign_in} />],
      ]}
    />
  );
}

type Open = "edit" | "delete" | { link: UserLink; text: string };

function Actions({ current, onGone }: { current: Tagged<User>; onGone: () => void }) {
  const t = useT();
  const format = useFormat();
  const client = useQueryClient();
  const self = useSession()?.user?.id === current.value.id;
  const [open, setOpen] = useState<Open>();
  const params = { path: { user: current.value.id } };
  const renew = async () => {
    await client.invalidateQueries({ queryKey: ["users"] });
    await client.invalidateQueries({ queryKey: ["user"] });
  };
  const link = useMutation({
    mutationFn: (purpose: "reset_password" | "verify_email") =>
      dataOf(api.POST("/api/v1/users/{user}/link", { params, body: { purpose } })),
    onSuccess: (made) =>
      setOpen({ link: made, text: t("users.linkText", { end: format.moment(Date.parse(made.expires)) }) }),
  });
  const disable = useMutation({
    mutationFn: () => {
      const body = { disabled: !current.value.disabled };
      return dataOf(api.PATCH("/api/v1/users/{user}", { params, body, ...ifMatch(current.tag) }));
    },
    onSettled: renew,
  });
  return (
    <>
      <div className={styles.buttons}>
        <Button onClick={() => setOpen("edit")}>{t("action.edit")}</Button>
        <Button disabled={link.isPending} onClick={() => link.mutate("reset_password")}>
          {t("users.resetLink")}
        </Button>
        {current.value.email != null && !current.value.email_verified && (
          <Button disabled={link.isPending} onClick={() => link.mutate("verify_email")}>
            {t("users.verifyLink")}
          </Button>
        )}
        {!self && (
          <>
            <Button disabled={disable.isPending} onClick={() => disable.mutate()}>
              {t(current.value.disabled ? "users.enable" : "users.disable")}
            </Button>
            <Button look="danger" onClick={() => setOpen("delete")}>
              {t("action.delete")}
            </Button>
          </>
        )}
      </div>
      <FormProblem error={link.error ?? disable.error} subject={current.value.name} />
      {open === "edit" && <UserDialog current={current} onClose={() => setOpen(undefined)} />}
      {open === "delete" && (
        <Confirm
          title={t("users.deleteTitle", { name: current.value.name })}
          text={t("users.deleteText")}
          submit={t("action.delete")}
          onClose={() => setOpen(undefined)}
          onSubmit={async () => {
            await done(api.DELETE("/api/v1/users/{user}", { params }));
            onGone();
            await client.invalidateQueries({ queryKey: ["users"] });
          }}
        />
      )}
      {typeof open === "object" && (
        <SecretDialog
          title={t("users.link")}
          text={open.text}
          label={t("users.link")}
          secret={linkOf(open.link.path)}
          onClose={() => setOpen(undefined)}
        />
      )}
    </>
  );
}

function Memberships({ user }: { user: string }) {
  const t = useT();
  const roleName = useRoleName();
  const { data } = useQuery(membershipsQuery(user));
  return (
    <Section title={t("page.workspaces")}>
      {data === undefined ? (
        <Skeleton height={40} />
      ) : data.items.length === 0 ? (
        <Hint>{t("users.noWorkspace")}</Hint>
      ) : (
        <Facts items={data.items.map((one) => [one.name, roleName(one.role_name)] as const)} />
      )}
    </Section>
  );
}

function Sessions({ user }: { user: string }) {
  const t = useT();
  const client = useQueryClient();
  const { data } = useQuery(userSessionsQuery(user));
  const end = useMutation({
    mutationFn: (session: string) =>
      done(api.DELETE("/api/v1/users/{user}/sessions/{session}", { params: { path: { user, session } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ["user", user, "sessions"] }),
  });
  return (
    <Section title={t("account.sessions")}>
      {data === undefined ? (
        <Skeleton height={40} />
      ) : data.items.length === 0 ? (
        <Hint>{t("users.noSessions")}</Hint>
      ) : (
        <ul className={styles.lineList}>
          {data.items.map((session) => (
            <li key={session.id}>
              <span>
                <span className="mono">{session.address ?? "–"}</span> · <Moment time={session.used} />
              </span>
              <Button disabled={end.isPending} onClick={() => end.mutate(session.id)}>
                {t("account.endSession")}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <FormProblem error={end.error} subject={t("account.sessions")} />
    </Section>
  );
}
