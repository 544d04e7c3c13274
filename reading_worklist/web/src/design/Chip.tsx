import type { ReactNode } from 'react';

import type { DeliveryState, Lane, Priority, State } from '../api/types';
import { useLanguage } from '../i18n/language';
import './chip.css';

export type Tone = 'slate' | 'blue' | 'violet' | 'amber' | 'green' | 'red';

/** A small label: a dot and a word, so that colour never carries the meaning alone. */
export function Chip({ tone, children, hollow = false }: { tone: Tone; children: ReactNode; hollow?: boolean }) {
  return <span className={`chip chip-${tone}${hollow ? ' chip-hollow' : ''}`}>{children}</span>;
}

const STATE_TONES: Record<State, Tone> = {
  QUEUED: 'slate',
  CLAIMED: 'blue',
  WRITTEN: 'violet',
  REVIEWING: 'violet',
  RETURNED: 'amber',
  FINAL: 'green',
  PUBLISHED: 'green',
  DELIVERED: 'green',
  PRELIM_ISSUED: 'amber',
  AMENDED: 'green',
  REVOKED: 'red',
  ARCHIVED: 'slate',
  HELD: 'red',
  WITHDRAWN: 'slate',
};
/** A hollow dot: waiting for somebody; a full one: somebody is at it, or it is done. */
const WAITING: ReadonlySet<State> = new Set<State>([
  'QUEUED',
  'WRITTEN',
  'PRELIM_ISSUED',
  'FINAL',
  'AMENDED',
  'PUBLISHED',
  'HELD',
]);

export function StateChip({ state }: { state: State }) {
  const { t } = useLanguage();
  return (
    <Chip tone={STATE_TONES[state]} hollow={WAITING.has(state)}>
      {t(`state.${state}`)}
    </Chip>
  );
}

const DELIVERY_TONES: Record<DeliveryState, Tone> = {
  PENDING: 'amber',
  IN_PROGRESS: 'blue',
  DELIVERED: 'green',
  REFUSED: 'red',
  PAUSED: 'slate',
  CANCELED: 'slate',
};

export function DeliveryChip({ state }: { state: DeliveryState }) {
  const { t } = useLanguage();
  return (
    <Chip tone={DELIVERY_TONES[state]} hollow={state === 'PENDING' || state === 'PAUSED'}>
      {t(`deliveries.state.${state}`)}
    </Chip>
  );
}

export function PriorityMark({ priority }: { priority: Priority }) {
  const { t } = useLanguage();
  return <span className={`priority priority-${priority.toLowerCase()}`}>{t(`priority.${priority}`)}</span>;
}

/** Modality and lane in one: `CT`, `ECG`. */
export function ModalityMark({ lane, modalities }: { lane: Lane; modalities: readonly string[] }) {
  const { t } = useLanguage();
  const shown = lane === 'ecg' ? ['ECG'] : modalities.filter((modality) => modality !== 'SR' && modality !== 'PR');
  const text = shown.length === 0 ? t('app.none') : shown.join(' ');
  return (
    <span className={`modality modality-${lane}`} title={t(`lane.${lane}`)}>
      {text}
    </span>
  );
}
