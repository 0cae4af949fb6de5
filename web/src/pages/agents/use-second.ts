/** The server's time, anew each second. */
import { useEffect, useState } from "react";
import { serverNow } from "~/time/clock";

export function useSecond(): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
