import { Input, type InputRef } from 'antd';
import { type SyntheticEvent, useRef, useState } from 'react';

import type { Ambulatory } from '../../api/types';
import { useShortcuts } from '../../design/shortcuts';
import { useLanguage } from '../../i18n/language';
import { momentOf } from './moment';

/** A field for a time of day; Enter goes there. */
export function JumpToTime({ facts, onMoment }: { facts: Ambulatory; onMoment: (seconds: number) => void }) {
  const { t } = useLanguage();
  const [written, setWritten] = useState('');
  const [wrong, setWrong] = useState(false);
  const field = useRef<InputRef>(null);
  useShortcuts({ j: () => field.current?.focus({ cursor: 'all' }) });
  const onSubmit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const moment = momentOf(written, facts.started_at, facts.duration_seconds);
    setWrong(moment === null);
    if (moment === null) return;
    field.current?.blur();
    onMoment(moment);
  };
  return (
    <form className="long-jump" onSubmit={onSubmit}>
      <Input
        ref={field}
        size="small"
        aria-label={t('ambulatory.jump')}
        placeholder={t('ambulatory.jump.placeholder')}
        value={written}
        status={wrong ? 'error' : ''}
        aria-invalid={wrong}
        onChange={(event) => {
          setWritten(event.target.value);
          setWrong(false);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      {wrong && (
        <span className="long-wrong" role="alert">
          {t('ambulatory.jump.wrong')}
        </span>
      )}
    </form>
  );
}
