/** Everything that happened, newest first. */
import { useCallback, useState } from "react";
import { useT } from "~/i18n";
import { Button } from "~/ui/controls";
import { Hint, Page } from "~/ui/page";
import { EventList } from "./event-list";

const pageSize = 50;

export function EventsPage() {
  const t = useT();
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const [next, setNext] = useState<string>();
  const onPage = useCallback((cursor: string | undefined) => setNext(cursor), []);
  return (
    <Page
      title={t("page.events")}
      number={<Hint>{t("events.hint")}</Hint>}
      actions={
        <>
          <Button icon="left" disabled={cursors.length === 0} onClick={() => setCursors(cursors.slice(0, -1))}>
            {t("events.newer")}
          </Button>
          <Button disabled={next === undefined} onClick={() => next !== undefined && setCursors([...cursors, next])}>
            {t("events.older")}
          </Button>
        </>
      }
    >
      <EventList limit={pageSize} cursor={cursors.at(-1)} onPage={onPage} />
    </Page>
  );
}
