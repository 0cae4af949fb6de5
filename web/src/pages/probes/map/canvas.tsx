/** A drawing that can be moved and zoomed: by dragging, by Ctrl and the wheel, by buttons and by keys. */
import {
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { useT } from "~/i18n";
import { Button } from "~/ui/controls";
import type { Point } from "./layout";
import styles from "./map.module.css";
import { type Box, fitted, holds, moved, type Size, showing, type View, zoomed } from "./viewport";

const step = 1.25;
/** Pixels after which a press is a drag. */
const slack = 4;
/** Below this size names cannot be read, and are left out. */
const readable = 0.55;

type CanvasProps = {
  label: string;
  /** What there is to see. */
  content: Box;
  /** The place that must be seen: of what has the focus. */
  shown: Point | undefined;
  onKeyDown: (event: KeyboardEvent) => void;
  children: ReactNode;
  /** Stands still over the drawing. */
  over?: ReactNode;
};

export function Canvas({ label, content, shown, onKeyDown, children, over }: CanvasProps) {
  const t = useT();
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const [own, setOwn] = useState<View>();
  const auto = useFitted(content, size);
  const view = own ?? auto;
  const change = (next: (view: View) => View) => setOwn((now) => next(now ?? auto));
  const middle = { x: size.width / 2, y: size.height / 2 };
  const drag = useDrag((x, y) => change((now) => moved(now, x, y)));
  const zoom = useRef((_factor: number, _at: Point) => {});
  zoom.current = (factor, at) => change((now) => zoomed(now, factor, at));
  useWheel(box, zoom);
  const target = shown === undefined ? "" : `${shown.x} ${shown.y}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another place moves the drawing
  useEffect(() => {
    if (shown !== undefined && size.width > 0) change((now) => showing(now, shown, size));
  }, [target]);
  const keys: Record<string, () => void> = {
    "+": () => zoom.current(step, middle),
    "-": () => zoom.current(1 / step, middle),
    "0": () => setOwn(undefined),
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys belong to what has the focus within
    <div
      ref={box}
      className={styles.canvas}
      onKeyDown={(event) => {
        const key = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
        if (key === undefined) return onKeyDown(event);
        event.preventDefault();
        key();
      }}
      {...drag}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: a drawing is no fieldset */}
      <svg
        width={size.width}
        height={size.height}
        role="group"
        aria-label={label}
        fontSize="11"
        data-chart=""
        data-far={view.scale < readable || undefined}
      >
        <g transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>{children}</g>
      </svg>
      {over}
      <div className={styles.zoom}>
        <Button icon="include" title={t("map.zoomIn")} aria-label={t("map.zoomIn")} onClick={keys["+"]} />
        <Button icon="exclude" title={t("map.zoomOut")} aria-label={t("map.zoomOut")} onClick={keys["-"]} />
        <Button title={t("map.fitText")} onClick={keys["0"]}>
          {t("map.fit")}
        </Button>
      </div>
    </div>
  );
}

/** Fits what there is in, anew only when something is outside: what comes moves nothing as long as it can be seen. */
function useFitted(content: Box, size: Size): View {
  const last = useRef<View>({ x: 0, y: 0, scale: 1 });
  const sized = useRef<Size>(undefined);
  const isSame = sized.current?.width === size.width && sized.current.height === size.height;
  if (!isSame || !holds(last.current, content, size)) last.current = fitted(content, size);
  sized.current = size;
  return last.current;
}

function useSize(box: React.RefObject<HTMLDivElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return size;
}

/** A drag moves the drawing; a press without one is a click on what is below. */
function useDrag(onMove: (x: number, y: number) => void) {
  const from = useRef<Point & { dragging: boolean }>(undefined);
  return {
    onPointerDown: (event: PointerEvent) => {
      const isButton = event.target instanceof Element && event.target.closest("button") !== null;
      if (event.button === 0 && !isButton) from.current = { x: event.clientX, y: event.clientY, dragging: false };
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const start = from.current;
      if (start === undefined) return;
      const [x, y] = [event.clientX - start.x, event.clientY - start.y];
      if (!start.dragging && Math.hypot(x, y) < slack) return;
      if (!start.dragging) event.currentTarget.setPointerCapture(event.pointerId);
      from.current = { x: event.clientX, y: event.clientY, dragging: true };
      onMove(x, y);
    },
    onPointerUp: () => {
      from.current = undefined;
    },
    onPointerCancel: () => {
      from.current = undefined;
    },
  };
}

/** Ctrl and the wheel zoom, as pinching does; the wheel alone scrolls the page. */
function useWheel(
  box: React.RefObject<HTMLDivElement | null>,
  zoom: React.RefObject<(factor: number, at: Point) => void>,
): void {
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      zoom.current(Math.exp(-event.deltaY / 300), { x: event.clientX - left, y: event.clientY - top });
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [box, zoom]);
}
