/** When something was heard of: its age each second while it is near, the date when it is long ago. */

import { serverNow } from "~/time/clock";
import { Moment } from "~/ui/moment";
import { TimeAgo } from "~/ui/time-ago";

/** Milliseconds in which each second matters. */
const near = 3_600_000;

export function Seen({ time }: { time: string }) {
  return serverNow() - Date.parse(time) < near ? <TimeAgo time={time} /> : <Moment time={time} />;
}
