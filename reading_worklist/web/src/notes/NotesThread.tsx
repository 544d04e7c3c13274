import { Button, Input, Skeleton } from 'antd';
import { useEffect, useId, useRef, useState } from 'react';

import { serverNow } from '../api/serverClock';
import type { ExamNote, NoteThread } from '../api/types';
import { Chip } from '../design/Chip';
import { ProblemNotice } from '../design/Notice';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useNotes, useSeeNotes, useWriteNote } from './queries';
import './notes.css';

const LONGEST_NOTE = 2_000;

/**
 * What site and centre write to each other about one exam, for either side. `examId` is the id of its reading, its
 * order or its study. Whoever has it before his eyes has seen what is in it.
 */
export function NotesThread({ examId }: { examId: string }) {
  const notes = useNotes(examId);
  const { mutate: see } = useSeeNotes(examId);
  const unread = notes.data?.unread ?? 0;
  useEffect(() => {
    if (unread === 0) return undefined;
    const seen = (): void => {
      if (document.visibilityState === 'visible') see();
    };
    seen();
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, [unread, see]);
  if (notes.isError && notes.data === undefined)
    return <ProblemNotice error={notes.error} onRetry={() => void notes.refetch()} />;
  if (notes.data === undefined) return <Skeleton active paragraph={{ rows: 4 }} />;
  return (
    <div className="notes">
      <Notes thread={notes.data} />
      {notes.isError && <ProblemNotice error={notes.error} onRetry={() => void notes.refetch()} />}
      <NoteForm examId={examId} side={notes.data.side} />
    </div>
  );
}

function Notes({ thread }: { thread: NoteThread }) {
  const { t } = useLanguage();
  const end = useRef<HTMLLIElement>(null);
  const count = thread.notes.length;
  useEffect(() => end.current?.scrollIntoView({ block: 'nearest' }), [count]);
  if (count === 0) return <p className="notes-none">{t(`notes.none.${thread.side}`)}</p>;
  return (
    <ol className="notes-list" aria-live="polite">
      {thread.notes.map((note) => (
        <Note key={note.id} note={note} own={note.side === thread.side} />
      ))}
      <li ref={end} aria-hidden="true" />
    </ol>
  );
}

function Note({ note, own }: { note: ExamNote; own: boolean }) {
  const { t, language } = useLanguage();
  const now = serverNow();
  return (
    <li className={own ? 'note note-own' : 'note'}>
      <div className="note-by">
        <span className="strong">{note.author}</span>{' '}
        {siteName(language, { name: note.organisation, name_en: note.organisation_en })} ·{' '}
        {formatShortTime(note.at, now)} {!own && note.seen_at === null && <Chip tone="amber">{t('notes.new')}</Chip>}
      </div>
      <p className="note-text">{note.text}</p>
      {own && (
        <div className="note-seen">
          {note.seen_at === null
            ? t('notes.unseen')
            : t('notes.seen', { name: note.seen_by ?? '', time: formatShortTime(note.seen_at, now) })}
        </div>
      )}
    </li>
  );
}

function NoteForm({ examId, side }: { examId: string; side: NoteThread['side'] }) {
  const { t } = useLanguage();
  const { mutate, isPending, error } = useWriteNote(examId);
  const [text, setText] = useState('');
  const fieldId = useId();
  const send = (): void => {
    const trimmed = text.trim();
    if (trimmed !== '' && !isPending) mutate(trimmed, { onSuccess: () => setText('') });
  };
  return (
    <form
      className="notes-form"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label htmlFor={fieldId} className="strong">
        {t(`notes.write.${side}`)}
      </label>
      <Input.TextArea
        id={fieldId}
        value={text}
        maxLength={LONGEST_NOTE}
        autoSize={{ minRows: 2, maxRows: 8 }}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
          // Elsewhere on the page the same keys sign a report.
          event.preventDefault();
          send();
        }}
      />
      {error !== null && <ProblemNotice error={error} />}
      <div className="notes-send">
        <span className="quiet small">{t('notes.sendHint')}</span>
        <Button htmlType="submit" type="primary" disabled={text.trim() === ''} loading={isPending}>
          {t('notes.send')}
        </Button>
      </div>
    </form>
  );
}
