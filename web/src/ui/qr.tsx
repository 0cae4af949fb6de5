/** A QR code, drawn here from the text alone: dark on light in both themes, because cameras want it so. */
import { useMemo } from "react";
import { encode } from "uqr";

/** Light modules around the code (ISO/IEC 18004, section 6.3.8). */
const border = 4;

export function QrCode({ text, label, size = 188 }: { text: string; label: string; size?: number }) {
  const { path, width } = useMemo(() => {
    const code = encode(text, { border, ecc: "M" });
    const rows = code.data.map((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")).join(""));
    return { path: rows.join(""), width: code.size };
  }, [text]);
  return (
    <svg width={size} height={size} viewBox={`0 0 ${width} ${width}`} role="img" aria-label={label}>
      <rect width={width} height={width} fill="#fff" />
      <path d={path} fill="#000" shapeRendering="crispEdges" />
    </svg>
  );
}
