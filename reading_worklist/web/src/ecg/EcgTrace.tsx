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
import { type Caliper, type Grip, gripAt, keyStep, measure, moved, placed, type Point, turned } from './caliper';
import { CaliperLayer } from './CaliperLayer';
import { CaliperReadout } from './CaliperReadout';
import { leadAt, readAt, snapped } from './leadsOnPage';
import type { Trace } from './trace';
import type { Tools, Zoom } from './view';

interface EcgTraceProps {
  trace: Trace;
  label: string;
  zoom: Zoom;
  pixelsPerMm: number;
  old: boolean;
  tools: Tools;
  onTools: (part: Partial<Tools>) => void;
  /** Leads that stand out on the paper. */
  highlighted: ReadonlySet<string>;
  /** Told whenever the page is shown at another size: 1 is true millimetres. */
  onFactor?: (factor: number) => void;
  /** What lies on the paper and is handled there, at so many pixels for a millimetre. */
  overlay?: (pixels: number) => ReactNode;
  /** Shown at the end of the line below the page. */
  children?: ReactNode;
}

/** Around the page, in pixels. */
const PADDING = 12;
/** A press this near to an edge takes hold of it, in pixels. */
const REACH = 7;
/** A drag shorter than this, in millimetres, is a click. */
const SMALLEST_DRAG = 0.4;
/** How far somebody may point beside a peak and still mean it, in millimetres. */
const SNAP_MM = 1.5;

interface Drag {
  grip: Grip;
  from: Point;
  start: Caliper | null;
}

/** A page of the ECG in true millimetres, and what is measured on it by hand. */
export function EcgTrace(props: EcgTraceProps) {
  const { trace, label, zoom, pixelsPerMm, old, tools, onTools, highlighted, onFactor, overlay, children } = props;
  const { t } = useLanguage();
  const [width, setWidth] = useState(0);
  const [caliper, setCaliper] = useState<Caliper | null>(null);
  const [pointer, setPointer] = useState<Point | null>(null);
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

  const wide = (width - 2 * PADDING) / (trace.widthMm * pixelsPerMm);
  // Median beats are a small page: larger than true they would only leave the screen below.
  const fitting = Math.max(0.2, trace.isMedian ? Math.min(wide, 1) : wide);
  const factor = zoom === 'fit' ? fitting : zoom;
  useEffect(() => onFactor?.(factor), [factor, onFactor]);

  useLayoutEffect(() => {
    paper.current?.replaceChildren(trace.element);
  }, [trace]);

  const pixels = pixelsPerMm * factor;
  const meant = (point: Point): Point => (tools.snapping ? snapped(trace.leads, point, SNAP_MM) : point);
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
    drag.current = { grip: gripAt(caliper, from, REACH / pixels), from, start: caliper };
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>): void => {
    const held = drag.current;
    const to = pointAt(event);
    setPointer(to);
    if (held === null) return;
    const by = { x: to.x - held.from.x, y: to.y - held.from.y };
    if (held.grip === 'new' || held.start === null) {
      if (Math.hypot(by.x, by.y) >= SMALLEST_DRAG) setCaliper({ a: meant(held.from), b: meant(to) });
    } else {
      const next = moved(held.start, held.grip, by);
      setCaliper(held.grip === 'ab' ? next : { ...next, [held.grip]: meant(next[held.grip]) });
    }
  };
  const onPointerUp = (): void => {
    drag.current = null;
  };
  const place = (): void => {
    const lead = trace.leads.at(-1);
    if (lead !== undefined) setCaliper(placed(lead.left, lead.right, lead.zero, trace));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.altKey || event.metaKey) return;
    const by = keyStep(event.key, event.shiftKey, trace);
    if (caliper === null) {
      if (by === null && event.key !== 'Enter') return;
      place();
    } else if (by !== null) {
      setCaliper(moved(caliper, event.ctrlKey ? 'ab' : 'b', by));
    } else if (event.key === 'x') setCaliper(turned(caliper));
    else if (event.key === 'Enter' && tools.snapping) setCaliper({ ...caliper, b: meant(caliper.b) });
    else if (event.key === 'Escape') setCaliper(null);
    else return;
    event.preventDefault();
  };

  const measurement = caliper === null ? null : measure(caliper, trace);
  const under = pointer === null ? null : leadAt(trace.leads, pointer);
  const bounds = caliper === null ? null : leadAt(trace.leads, { x: (caliper.a.x + caliper.b.x) / 2, y: caliper.a.y });
  return (
    <div className="ecg-sheet">
      <div ref={scroller} className={`ecg-scroll${old ? ' ecg-old' : ''}`}>
        {/* Pointers draw on the paper and arrow keys adjust: it is one control, like a canvas. */}
        <div
          className="ecg-paper"
          role="application"
          tabIndex={0}
          aria-label={label}
          aria-describedby="caliper-readout"
          style={{ width: trace.widthMm * pixels, height: trace.heightMm * pixels }}
          onPointerDown={onPointerDown}
          onPointerMove={onPointerMove}
          onPointerUp={onPointerUp}
          onPointerCancel={onPointerUp}
          onPointerLeave={() => setPointer(null)}
          onKeyDown={onKeyDown}
        >
          <div ref={paper} className="ecg-page" />
          <CaliperLayer
            caliper={caliper}
            measurement={measurement}
            trace={trace}
            marching={tools.marching}
            span={bounds}
            pointer={pointer === null || under === null ? null : { ...pointer, lead: under }}
            highlighted={highlighted}
            pixels={pixels}
          />
          {overlay?.(pixels)}
        </div>
      </div>
      <CaliperReadout
        measurement={measurement}
        hover={pointer === null ? null : readAt(trace.leads, pointer, trace)}
        tools={tools}
        onTools={onTools}
        help={t('caliper.help')}
        onClear={() => {
          setCaliper(null);
          scroller.current?.querySelector<HTMLElement>('.ecg-paper')?.focus();
        }}
      >
        {children}
      </CaliperReadout>
    </div>
  );
}
