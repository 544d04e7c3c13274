import { type Caliper, marchOut, type Measurement } from './caliper';
import { useMeasurementWords } from './CaliperReadout';
import type { Trace } from './trace';

const LABEL_PIXELS = 12;

/** The caliper drawn over the paper; lines keep their width on the screen at every zoom. */
export function CaliperLayer({
  caliper,
  measurement,
  trace,
  marching,
  pixels,
}: {
  caliper: Caliper;
  measurement: Measurement;
  trace: Trace;
  marching: boolean;
  pixels: number;
}) {
  const words = useMeasurementWords()(measurement);
  const left = Math.min(caliper.a.x, caliper.b.x);
  const right = Math.max(caliper.a.x, caliper.b.x);
  const top = Math.min(caliper.a.y, caliper.b.y);
  const bottom = Math.max(caliper.a.y, caliper.b.y);
  const size = LABEL_PIXELS / pixels;
  const above = top > size * 2.2;
  return (
    <svg className="caliper" viewBox={`0 0 ${trace.widthMm} ${trace.heightMm}`} aria-hidden="true">
      <rect x={left} y={top} width={right - left} height={bottom - top} className="caliper-box" />
      {[left, right].map((x, index) => (
        <path key={index} d={`M${x} ${Math.max(0, top - 4)}V${bottom + 4}`} className="caliper-edge" />
      ))}
      {[top, bottom].map((y, index) => (
        <path key={index} d={`M${left} ${y}H${right}`} className="caliper-level" />
      ))}
      {marching &&
        marchOut(caliper, 0, trace.widthMm).map((x) => (
          <path key={x} d={`M${x} ${Math.max(0, top - 4)}V${bottom + 4}`} className="caliper-march" />
        ))}
      <text
        x={(left + right) / 2}
        y={above ? top - size * 0.7 : bottom + size * 1.6}
        fontSize={size}
        className="caliper-label"
      >
        {words}
      </text>
    </svg>
  );
}
