/** Which role may do what: the table of permissions, one column for each role. */
import type { PermissionLine, Role } from "~/api/schema";
import { useT } from "~/i18n";
import styles from "./people.module.css";

type MatrixProps = { table: readonly PermissionLine[]; roles: readonly Role[]; nameOf: (role: Role) => string };

export function PermissionMatrix({ table, roles, nameOf }: MatrixProps) {
  const t = useT();
  const lines = table.filter(({ reach }) => reach === "workspace");
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by keys
    <section className={styles.scroll} tabIndex={0} aria-label={t("roles.table")}>
      <table className={styles.matrix}>
        <thead className={styles.head}>
          <tr>
            <th scope="col" className={styles.what}>
              {t("roles.permission")}
            </th>
            {roles.map((role) => (
              <th key={role.id} scope="col">
                {nameOf(role)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(({ permission, text }) => (
            <tr key={permission}>
              <th scope="row" className={styles.what}>
                {text} <code>{permission}</code>
              </th>
              {roles.map((role) => {
                const allowed = role.permissions.includes(permission);
                return (
                  <td key={role.id} className={allowed ? styles.yes : styles.no}>
                    <span aria-hidden="true">{allowed ? "●" : "–"}</span>
                    <span className="visually-hidden">{t(allowed ? "flow.yes" : "flow.no")}</span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
