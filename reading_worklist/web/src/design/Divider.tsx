import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import './divider.css';

const STEP = 24;

/**
 * The edge between two columns, dragged with the pointer or moved with the arrow keys. `width` is that of the column on
 * its right, in pixels.
 */
export function Divider({
  label,
  width,
  onWidth,
  onDone,
}: {
  label: string;
  width: number;
  onWidth: (width: number) => void;
  onDone: () => void;
}) {
  const from = useRef<{ x: number; width: number } | null>(null);
  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    from.current = { x: event.clientX, width };
    event.currentTarget.setPointerCapture(event.pointerId);
    event.preventDefault();
  };
  const onPointerMove = (event: PointerEvent): void => {
    if (from.current !== null) onWidth(from.current.width + from.current.x - event.clientX);
  };
  const onPointerEnd = (): void => {
    if (from.current === null) return;
    from.current = null;
    onDone();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowLeft' ? STEP : event.key === 'ArrowRight' ? -STEP : 0;
    if (step === 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    onWidth(width + step);
    onDone();
  };
  return (
    <div
      className="divider"
      role="separator"
      aria-label={label}
      aria-orientation="vertical"
      aria-valuenow={Math.round(width)}
      aria-valuemin={0}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerEnd}
      onPointerCancel={onPointerEnd}
      onKeyDown={onKeyDown}
    />
  );
}
