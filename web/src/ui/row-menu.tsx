/** What can be done with a row, behind one button at its end. */
import { useT } from "~/i18n";
import { Button } from "./controls";
import type { IconName } from "./icons";
import { Menu, MenuItem } from "./menu";

type Item = { label: string; icon?: IconName; onSelect: () => void };

export function RowMenu({ name, items }: { name: string; items: readonly Item[] }) {
  const t = useT();
  const label = t("value.menu", { value: name });
  return (
    <Menu
      label={label}
      trigger={(props) => <Button look="quiet" icon="more" aria-label={label} title={label} {...props} />}
    >
      {(close) =>
        items.map(({ label, icon, onSelect }) => (
          <MenuItem
            key={label}
            {...(icon !== undefined && { icon })}
            onSelect={() => {
              close();
              onSelect();
            }}
          >
            {label}
          </MenuItem>
        ))
      }
    </Menu>
  );
}
