import {
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';

import { useLanguage } from '../i18n/language';
import { type Caliper, type Grip, gripAt, measure, moved, type Point } from './caliper';
import { CaliperLayer } from './CaliperLayer';
import { CaliperReadout } from './CaliperReadout';
import type { Trace } from './trace';
import type { Zoom } from './view';

interface EcgTraceProps {
  trace: Trace;
  zoom: Zoom;
  pixelsPerMm: number;
  old: boolean;
  /** Told whenever the page is shown at another size: 1 is true millimetres. */
  onFactor: (factor: number) => void;
  /** Shown at the end of the line below the page. */
  children: ReactNode;
}

/** Around the page, in pixels. */
const PADDING = 12;
/** A press this near to an edge takes hold of it, in pixels. */
const REACH = 7;
/** A drag shorter than this, in millimetres, is a click. */
const SMALLEST_DRAG = 0.4;
const KEY_STEP_MM = 0.5;
const KEY_LEAP_MM = 5;

interface Drag {
  grip: Grip;
  from: Point;
  start: Caliper | null;
}

export function EcgTrace({ trace, zoom, pixelsPerMm, old, onFactor, children }: EcgTraceProps) {
  const { t } = useLanguage();
  const [width, setWidth] = useState(0);
  const [caliper, setCaliper] = useState<Caliper | null>(null);
  const [marching, setMarching] = useState(false);
  const [measuredTrace, setMeasuredTrace] = useState(trace);
  const scroller = useRef<HTMLDivElement>(null);
  const paper = useRef<HTMLDivElement>(null);
  const drag = useRef<Drag | null>(null);

  // A caliper belongs to the page it was set on; on another scale or stretch of time it would lie.
  if (trace !== measuredTrace) {
    const samePaper =
      trace.mmPerSecond === measuredTrace.mmPerSecond && trace.mmPerMillivolt === measuredTrace.mmPerMillivolt;
    const sameTime = trace.startSeconds === measuredTrace.startSeconds && trace.heightMm === measuredTrace.heightMm;
    setMeasuredTrace(trace);
    if (!samePaper || !sameTime) setCaliper(null);
  }

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const fitting = Math.max(0.2, (width - 2 * PADDING) / (trace.widthMm * pixelsPerMm));
  const factor = zoom === 'fit' ? fitting : zoom;
  useEffect(() => onFactor(factor), [factor, onFactor]);

  useLayoutEffect(() => {
    paper.current?.replaceChildren(trace.element);
  }, [trace]);

  const pointAt = (event: PointerEvent<HTMLElement>): Point => {
    const box = event.currentTarget.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * trace.widthMm,
      y: ((event.clientY - box.top) / box.height) * trace.heightMm,
    };
  };
  const onPointerDown = (event: PointerEvent<HTMLElement>): void => {
    if (event.button !== 0) return;
    const from = pointAt(event);
    drag.current = { grip: gripAt(caliper, from, REACH / (pixelsPerMm * factor)), from, start: caliper };
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>): void => {
    const held = drag.current;
    if (held === null) return;
    const to = pointAt(event);
    const by = { x: to.x - held.from.x, y: to.y - held.from.y };
    if (held.grip === 'new' || held.start === null) {
      if (Math.hypot(by.x, by.y) >= SMALLEST_DRAG) setCaliper({ a: held.from, b: to });
    } else {
      setCaliper(moved(held.start, held.grip, by));
    }
  };
  const onPointerUp = (): void => {
    drag.current = null;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (caliper === null) return;
    const step = event.shiftKey ? KEY_LEAP_MM : KEY_STEP_MM;
    const moves: Record<string, Point> = {
      ArrowLeft: { x: -step, y: 0 },
      ArrowRight: { x: step, y: 0 },
      ArrowUp: { x: 0, y: -step },
      ArrowDown: { x: 0, y: step },
    };
    const by = moves[event.key];
    if (by !== undefined) setCaliper(moved(caliper, 'b', by));
    else if (event.key === 'Escape') setCaliper(null);
    else return;
    event.preventDefault();
  };

  const pixels = pixelsPerMm * factor;
  const measurement = caliper === null ? null : measure(caliper, trace);
  return (
    <>
      <div ref={scroller} className={`ecg-scroll${old ? ' ecg-old' : ''}`}>
        {/* Pointers draw on the paper and arrow keys adjust: it is one control, like a canvas. */}
        <div
          className="ecg-paper"
          role="application"
          tabIndex={0}
          aria-label={t('ecg.trace')}
          aria-describedby="caliper-readout"
          style={{ width: trace.widthMm * pixels, height: trace.heightMm * pixels }}
          onPointerDown={onPointerDown}
          onPointerMove={onPointerMove}
          onPointerUp={onPointerUp}
          onPointerCancel={onPointerUp}
          onKeyDown={onKeyDown}
        >
          <div ref={paper} className="ecg-page" />
          {caliper !== null && measurement !== null && (
            <CaliperLayer
              caliper={caliper}
              measurement={measurement}
              trace={trace}
              marching={marching}
              pixels={pixels}
            />
          )}
        </div>
      </div>
      <CaliperReadout
        measurement={measurement}
        marching={marching}
        onMarch={setMarching}
        onClear={() => {
          setCaliper(null);
          scroller.current?.querySelector<HTMLElement>('.ecg-paper')?.focus();
        }}
      >
        {children}
      </CaliperReadout>
    </>
  );
}
