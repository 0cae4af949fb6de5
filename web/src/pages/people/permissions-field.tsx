/** A set of permissions, chosen from those that one has oneself; by subject, each with its text. */
import { useQuery } from "@tanstack/react-query";
import { permissionsQuery } from "~/api/people";
import { useT } from "~/i18n";
import { useSession } from "~/session/session";
import { Button } from "~/ui/controls";
import { toggled } from "./chosen";
import styles from "./people.module.css";

type PermissionsFieldProps = {
  label: string;
  error?: string | undefined;
  value: readonly string[];
  onChange: (value: string[]) => void;
};

export function PermissionsField({ label, error, value, onChange }: PermissionsFieldProps) {
  const t = useT();
  const own = useSession()?.permissions ?? [];
  const table = useQuery(permissionsQuery).data?.items ?? [];
  const lines = table.filter(({ permission, assignable }) => assignable && own.includes(permission));
  const order = lines.map(({ permission }) => permission);
  return (
    <fieldset className={styles.permissions} aria-invalid={error !== undefined}>
      <legend>{label}</legend>
      <div className={styles.quick}>
        <Button onClick={() => onChange(order.filter((one) => one.endsWith(".read")))}>{t("permissions.read")}</Button>
        <Button onClick={() => onChange([...order])}>{t("permissions.all")}</Button>
        <Button onClick={() => onChange([])}>{t("permissions.none")}</Button>
      </div>
      {error !== undefined && <p className={styles.error}>{error}</p>}
      <div className={styles.lines}>
        {lines.map(({ permission, text }) => (
          <label key={permission}>
            <input
              type="checkbox"
              checked={value.includes(permission)}
              onChange={() => onChange(toggled(value, permission, order))}
            />
            <span>
              {text} <code>{permission}</code>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
