import { type Caliper, marchOut, type Measurement, type Point } from './caliper';
import { useMeasurementWords } from './CaliperReadout';
import { heightAt, type LeadOnPage } from './leadsOnPage';
import type { Trace } from './trace';

const LABEL_PIXELS = 12;

interface CaliperLayerProps {
  caliper: Caliper | null;
  measurement: Measurement | null;
  trace: Trace;
  marching: boolean;
  /** The lead that the caliper lies on: its interval is repeated over this one's stretch. */
  span: LeadOnPage | null;
  pointer: (Point & { lead: LeadOnPage }) | null;
  highlighted: ReadonlySet<string>;
  pixels: number;
}

/** What is drawn over the paper; lines keep their width on the screen at every zoom. */
export function CaliperLayer(props: CaliperLayerProps) {
  const { caliper, measurement, trace, pointer, highlighted, pixels } = props;
  const dot = pointer === null ? null : heightAt(pointer.lead.points(), pointer.x);
  return (
    <svg className="caliper" viewBox={`0 0 ${trace.widthMm} ${trace.heightMm}`} aria-hidden="true">
      {trace.leads
        .filter((lead) => highlighted.has(lead.name))
        .map((lead) => (
          <rect
            key={`${lead.name} ${lead.left} ${lead.zero}`}
            className="ecg-highlight"
            x={lead.left}
            y={lead.top}
            width={lead.right - lead.left}
            height={lead.bottom - lead.top}
          />
        ))}
      {pointer !== null && dot !== null && <circle className="ecg-pointer" cx={pointer.x} cy={dot} r={3.5 / pixels} />}
      {caliper !== null && measurement !== null && <Drawn {...props} caliper={caliper} measurement={measurement} />}
    </svg>
  );
}

function Drawn({
  caliper,
  measurement,
  trace,
  marching,
  span,
  pixels,
}: CaliperLayerProps & { caliper: Caliper; measurement: Measurement }) {
  const words = useMeasurementWords()(measurement);
  const left = Math.min(caliper.a.x, caliper.b.x);
  const right = Math.max(caliper.a.x, caliper.b.x);
  const top = Math.min(caliper.a.y, caliper.b.y);
  const bottom = Math.max(caliper.a.y, caliper.b.y);
  const size = LABEL_PIXELS / pixels;
  const above = top > size * 2.2;
  const from = Math.min(span?.left ?? 0, left);
  const to = Math.max(span?.right ?? trace.widthMm, right);
  return (
    <>
      <rect x={left} y={top} width={right - left} height={bottom - top} className="caliper-box" />
      {[caliper.a.x, caliper.b.x].map((x, index) => (
        <path
          key={index}
          d={`M${x} ${Math.max(0, top - 4)}V${bottom + 4}`}
          className={`caliper-edge${index === 1 ? ' caliper-moving' : ''}`}
        />
      ))}
      {[top, bottom].map((y, index) => (
        <path key={index} d={`M${left} ${y}H${right}`} className="caliper-level" />
      ))}
      {marching &&
        marchOut(caliper, from, to).map((x) => (
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
    </>
  );
}
