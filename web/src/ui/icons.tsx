/** The app's own icons: 16 px, drawn with one stroke. They always stand beside a word, or in a button that has a label. */
const shapes = {
  overview: "M2.5 2.5h4.5v5h-4.5zM9 2.5h4.5v3h-4.5zM9 7.5h4.5v6h-4.5zM2.5 9.5h4.5v4h-4.5z",
  traffic: "M1.5 8h3V4.5h3v-2h2V6h2.5v2h2.5M4.5 8v2.5h3V13h2v-2h2.5V8",
  history: "M2.6 6.2A5.7 5.7 0 1 1 2.3 8M2.2 3.2v3.2h3.2M8 5v3.2l2.2 1.4",
  probes:
    "M8 6.7a1.3 1.3 0 1 0 0 2.6 1.3 1.3 0 0 0 0-2.6zM5.2 10.8a4 4 0 0 1 0-5.6M10.8 10.8a4 4 0 0 0 0-5.6M3.1 12.9a7 7 0 0 1 0-9.8M12.9 12.9a7 7 0 0 0 0-9.8",
  agents: "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM4.7 5h.01M4.7 11h.01M7.2 5h4M7.2 11h4",
  events: "M3 3.5h10M3 8h10M3 12.5h6",
  health: "M1.5 8.5h3l1.5-4 3 7.5 2-5 1 1.5h2.5",
  settings: "M2 4.5h7M12 4.5h2M2 11.5h2M7 11.5h7M10.5 3v3M5.5 10v3",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4 14 14",
  pause: "M5 3v10M11 3v10",
  play: "M4.5 3v10l8-5z",
  close: "m4 4 8 8M12 4l-8 8",
  table: "M2 3h12v10H2zM2 6.5h12M2 9.75h12M6.5 6.5V13",
  chart: "M2 13.5h12M4 11V7.5M7 11V3.5M10 11V6M13 11V8.5",
  down: "m4 6 4 4 4-4",
  left: "M10 3.5 5.5 8l4.5 4.5",
  right: "M6 3.5 10.5 8 6 12.5",
  include: "M8 3.5v9M3.5 8h9",
  exclude: "M3.5 8h9",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  open: "M6 3H3v10h10v-3M9 3h4v4M13 3 7.5 8.5",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  download: "M8 2.5v7.5M5 7.2l3 3 3-3M2.5 13.5h11",
  clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.8V8l2.2 1.6",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  user: "M8 2.2a2.9 2.9 0 1 0 0 5.8 2.9 2.9 0 0 0 0-5.8zM2.8 13.8c.5-2.6 2.5-4 5.2-4s4.7 1.4 5.2 4",
  check: "m3 8.5 3.3 3.3L13 4.8",
  help: "M6 6.2a2 2 0 1 1 2.8 1.9c-.6.3-.8.7-.8 1.4M8 11.8v.01M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8z",
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" aria-hidden="true" focusable="false">
      <path
        d={shapes[name]}
        stroke="currentColor"
        strokeWidth={name === "more" ? 2 : 1.4}
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

/** The mark of Netwatch: rates in above, rates out below. */
export function Logo() {
  return (
    <svg width="22" height="22" viewBox="0 0 32 32" fill="none" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" fill="#2b6be6" />
      <g stroke="#fff" strokeWidth="2.4" strokeLinejoin="round" strokeLinecap="round">
        <path d="M5 15.2h4.2V9.4h3.6v3h3.6V6.2H20v6.6h3.4v2.4H27" />
        <path d="M5 18.8h4.2v3.4h3.6v-1.6h3.6v5H20v-3.6h3.4v-3.2H27" strokeOpacity=".62" />
      </g>
    </svg>
  );
}
