import { Chip, type Tone } from '../design/Chip';
import { useLanguage } from '../i18n/language';
import type { EcgFileState } from './queries';

const TONES: Record<EcgFileState, Tone> = {
  RECEIVED: 'blue',
  NEEDS_PATIENT: 'amber',
  FILED: 'green',
  DOCUMENT: 'green',
  UNREADABLE: 'red',
  REFUSED: 'red',
};

/** The state of a file as a label. */
export function FileState({ state }: { state: EcgFileState }) {
  const { t } = useLanguage();
  return (
    <Chip tone={TONES[state]} hollow={state === 'RECEIVED' || state === 'NEEDS_PATIENT'}>
      {t(`ecgFiles.state.${state}`)}
    </Chip>
  );
}
