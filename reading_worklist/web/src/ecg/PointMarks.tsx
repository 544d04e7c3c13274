import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react';

import type { EcgCorrections, EcgMeasured } from '../api/types';
import { useLanguage } from '../i18n/language';
import { type PointName, POINTS, withPoint } from './corrections';
import type { Trace } from './trace';

interface PointMarksProps {
  trace: Trace;
  points: NonNullable<EcgMeasured['points']>;
  pixels: number;
  corrections: EcgCorrections;
  change: (corrections: EcgCorrections) => void;
}

const FINE_MS = 2;
const COARSE_MS = 10;

/** Handles at the points of the median beat, in every lead; one moved is moved in all of them. */
export function PointMarks({ trace, points, pixels, corrections, change }: PointMarksProps) {
  const { t } = useLanguage();
  const [held, setHeld] = useState<{ point: PointName; ms: number } | null>(null);
  const from = useRef<number | null>(null);
  const first = trace.leads[0];
  const msPerPixel = 1000 / (trace.mmPerSecond * pixels);
  return (
    <>
      {trace.leads.flatMap((lead, at) =>
        POINTS.map(([point, sign]) => {
          const measured = points[point];
          if (measured === null) return null;
          const ms = held?.point === point ? held.ms : measured;
          const set = corrections[point] !== null;
          const onKeyDown = (event: KeyboardEvent): void => {
            const step = event.shiftKey ? COARSE_MS : FINE_MS;
            if (event.key === 'ArrowLeft') change(withPoint(corrections, point, measured - step));
            else if (event.key === 'ArrowRight') change(withPoint(corrections, point, measured + step));
            else if (event.key === 'Delete' || event.key === 'Backspace') change(withPoint(corrections, point, null));
            else return;
            event.preventDefault();
            event.stopPropagation();
          };
          const onPointerDown = (event: PointerEvent<HTMLElement>): void => {
            event.stopPropagation();
            from.current = event.clientX;
            event.currentTarget.setPointerCapture(event.pointerId);
          };
          const onPointerMove = (event: PointerEvent<HTMLElement>): void => {
            if (from.current === null) return;
            setHeld({ point, ms: Math.round(measured + (event.clientX - from.current) * msPerPixel) });
          };
          const onPointerUp = (): void => {
            from.current = null;
            if (held !== null && held.ms !== measured) change(withPoint(corrections, point, held.ms));
            setHeld(null);
          };
          return (
            <button
              key={`${at} ${point}`}
              type="button"
              className={`point-mark${set ? ' point-by-hand' : ''}${held?.point === point ? ' point-held' : ''}`}
              tabIndex={lead === first ? 0 : -1}
              aria-hidden={lead === first ? undefined : true}
              aria-label={t('ecg.point', { point: t(`ecg.point.${point}`), n: Math.round(ms) })}
              title={`${sign} · ${t(`ecg.point.${point}`)}`}
              style={{
                left: (lead.originX + (ms / 1000) * trace.mmPerSecond) * pixels,
                top: lead.top * pixels,
                height: (lead.bottom - lead.top) * pixels,
              }}
              onKeyDown={onKeyDown}
              onPointerDown={onPointerDown}
              onPointerMove={onPointerMove}
              onPointerUp={onPointerUp}
            />
          );
        }),
      )}
    </>
  );
}
