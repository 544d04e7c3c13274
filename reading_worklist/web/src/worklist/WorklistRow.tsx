import { Checkbox } from 'antd';
import { memo, type MouseEvent, type ReactNode, useState } from 'react';

import type { WorklistLine } from '../api/types';
import { ModalityMark, PriorityMark, StateChip } from '../design/Chip';
import { Due } from '../design/Due';
import { LatinName, PatientName, SexAge } from '../design/PatientName';
import { formatDateTime, formatDuration, formatShortTime, formatStudyTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { takingAction } from './actions';
import type { ColumnName, ShownColumn } from './columns';
import { Marks } from './Marks';
import { ROW_HEIGHT } from './scrolling';

/** What a row can be asked to do; the same object for all rows and all time. */
export interface RowActs {
  select: (index: number) => void;
  open: (item: WorklistLine) => void;
  claim: (item: WorklistLine) => void;
  mark: (index: number, item: WorklistLine, upTo: boolean) => void;
}

interface WorklistRowProps {
  /** undefined while it is on its way. */
  item: WorklistLine | undefined;
  index: number;
  columns: readonly ShownColumn[];
  /** null where nobody marks rows. */
  marked: boolean | null;
  selected: boolean;
  /** Whether the band of the most urgent ends with this row. */
  endsStat: boolean;
  claiming: boolean;
  /** Who looks. */
  me: string;
  now: number;
  acts: RowActs;
}

type Filled = WorklistRowProps & { item: WorklistLine };

/**
 * One row at its place in the list. While one scrolls the same element shows another workitem: what is in
 * its cells changes, they themselves stay, so that the browser lays out and paints this row alone.
 */
export const WorklistRow = memo(function WorklistRow(props: WorklistRowProps) {
  const { item, index, columns, marked, selected, acts } = props;
  const { t } = useLanguage();

  // A change that came by itself lights up once, so that the eye finds what moved.
  const [seen, setSeen] = useState({ id: item?.id, revision: item?.revision });
  if (seen.id !== item?.id) setSeen({ id: item?.id, revision: item?.revision });
  const changed = seen.id === item?.id && seen.revision !== item?.revision;
  const classes = [
    'worklist-row',
    item?.priority === 'STAT' ? 'row-stat' : '',
    props.endsStat ? 'row-stat-last' : '',
    changed ? 'row-changed' : '',
    marked === true ? 'row-marked' : '',
  ];
  return (
    <div
      role="row"
      aria-selected={selected}
      aria-rowindex={index + 2}
      aria-hidden={item === undefined}
      className={classes.filter((one) => one !== '').join(' ')}
      style={{ top: index * ROW_HEIGHT }}
      onAnimationEnd={() => setSeen({ id: item?.id, revision: item?.revision })}
      onClick={() => acts.select(index)}
      onDoubleClick={() => item !== undefined && acts.open(item)}
    >
      {marked !== null && (
        <div role="cell" className="col-mark">
          {item !== undefined && (
            <Checkbox
              tabIndex={-1}
              checked={marked}
              aria-label={t('worklist.mark', { patient: item.patient.name })}
              onClick={(event) => {
                event.stopPropagation();
                acts.mark(index, item, event.shiftKey);
              }}
            />
          )}
        </div>
      )}
      {columns.map((column) => (
        <Cell key={column.name} {...props} column={column} />
      ))}
    </div>
  );
});

function Cell({ column, item, ...props }: WorklistRowProps & { column: ShownColumn }) {
  const words = useLanguage();
  const { name, style } = column;
  const role = name === 'patient' ? 'rowheader' : 'cell';
  const { text, title } = item === undefined ? WAITING : cellOf(words, name, { ...props, item });
  return (
    <div role={role} className={`col-${name}`} style={style} title={title}>
      {text}
    </div>
  );
}

const WAITING: CellText = { text: <span className="row-waiting" /> };

/** What the rules say of the ECG, in their words; where they say nothing, a glance at it. */
function EcgGlance({ ecg }: { ecg: NonNullable<WorklistLine['ecg']> }) {
  const { t, language } = useLanguage();
  const hints = language === 'zh-CN' ? ecg.hints : ecg.hints_en;
  if (hints.length > 0) {
    return (
      <span className="row-hint" title={t('worklist.ecgHint.title', { hints: hints.join('; ') })}>
        {hints[0]}
      </span>
    );
  }
  return ecg.thumbnail === null ? null : <img className="row-ecg" src={ecg.thumbnail} alt="" loading="lazy" />;
}

type Words = ReturnType<typeof useLanguage>;

interface CellText {
  text: ReactNode;
  title?: string | undefined;
}

function cellOf(words: Words, name: ColumnName, props: Filled): CellText {
  const { t, language } = words;
  const { item, me, now } = props;
  const { study } = item;
  const none = t('app.none');
  switch (name) {
    case 'priority':
      return { text: <PriorityMark priority={item.priority} /> };
    case 'due':
      return { text: <Due item={item} /> };
    case 'patient':
      return { text: <PatientText {...props} />, title: fullName(item) };
    case 'id':
      return { text: item.patient.local_id ?? none, title: item.patient.local_id ?? undefined };
    case 'accession':
      return { text: study.accession_number ?? none, title: study.accession_number ?? undefined };
    case 'site': {
      const site = siteName(language, item.site);
      return { text: site, title: site };
    }
    case 'modality':
      return { text: <ModalityMark lane={item.lane} modalities={study.modalities} /> };
    case 'study': {
      const description = study.description ?? '';
      const text = (
        <>
          {item.ecg !== null && <EcgGlance ecg={item.ecg} />}
          {description === '' ? <span className="quiet">{t('worklist.noDescription')}</span> : description}
          {item.amending && <Amending />}
        </>
      );
      return { text, title: description };
    }
    case 'marks':
      return { text: <Marks item={item} /> };
    case 'priors':
      return item.priors === 0
        ? { text: <span className="quiet">{none}</span> }
        : { text: item.priors, title: t('worklist.priors', { n: item.priors }) };
    case 'images':
      return {
        text: `${study.series_count}/${study.instance_count}`,
        title: t('worklist.images', { series: study.series_count, instances: study.instance_count }),
      };
    case 'examined':
      return {
        text: formatStudyTime(study.study_date, study.study_time, now) ?? none,
        title: [study.study_date, study.study_time?.slice(0, 5)].join(' '),
      };
    case 'queued':
      return { text: formatShortTime(item.queued_at, now), title: formatDateTime(item.queued_at) };
    case 'group': {
      if (item.group === null) return { text: <span className="quiet">{none}</span> };
      const group = siteName(language, item.group);
      return { text: group, title: group };
    }
    case 'state':
      return { text: <StateChip state={item.state} /> };
    case 'doctor':
      return doctorOf(words, item, me, now);
    case 'action':
      return { text: <RowAction {...props} /> };
  }
}

/** Who is at it and for how long it stays his; else who shall do it, or who wrote it. */
function doctorOf({ t, language }: Words, item: WorklistLine, me: string, now: number): CellText {
  if (item.claimed_by !== null) {
    const mine = item.claimed_by.id === me;
    const left = item.lease_until === null ? 0 : Math.max(0, Date.parse(item.lease_until) - now);
    const time = formatDuration(language, Math.max(left, 60_000));
    const name = mine ? (
      <strong className="row-mine">{t('worklist.claimedByMe')}</strong>
    ) : (
      item.claimed_by.display_name
    );
    return {
      text: (
        <>
          {name} <span className="row-lease">{time}</span>
        </>
      ),
      title: t('worklist.lease', { name: item.claimed_by.display_name, time }),
    };
  }
  if (item.assigned_to !== null) {
    const name = item.assigned_to.id === me ? t('worklist.claimedByMe') : item.assigned_to.display_name;
    return {
      text: <span className="row-assigned">{t('worklist.assignedTo', { name })}</span>,
      title: t('worklist.assignedTo', { name: item.assigned_to.display_name }),
    };
  }
  if (item.written_by === null) return { text: <span className="quiet">{t('app.none')}</span> };
  return {
    text: <span className="quiet">{item.written_by.display_name}</span>,
    title: t('worklist.writtenBy', { name: item.written_by.display_name }),
  };
}

function fullName({ patient }: WorklistLine): string {
  return [patient.name, patient.latin_name].filter((part) => part !== '').join(' ');
}

function PatientText({ item, acts }: Filled) {
  const { patient } = item;
  return (
    <span className="row-patient">
      <a
        href={`/exams/${item.id}`}
        title={fullName(item)}
        onClick={(event) => {
          if (opensElsewhere(event)) return;
          event.preventDefault();
          acts.open(item);
        }}
      >
        <PatientName patient={patient} latin={false} />
      </a>
      <span className="quiet">
        <SexAge patient={patient} />
      </span>
      <LatinName latin={patient.latin_name} />
    </span>
  );
}

function opensElsewhere(event: MouseEvent): boolean {
  return event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0;
}

function Amending() {
  const { t } = useLanguage();
  return <span className="row-amending">{t('worklist.amending')}</span>;
}

function RowAction({ item, claiming, acts }: Filled) {
  const { t } = useLanguage();
  const action = takingAction(item);
  // Plain buttons: a row of a long list is drawn anew at every step of scrolling.
  return (
    <button
      type="button"
      className={action === null ? 'row-button' : 'row-button row-take'}
      disabled={claiming}
      onClick={(event) => {
        event.stopPropagation();
        if (action === null) acts.open(item);
        else acts.claim(item);
      }}
      onDoubleClick={(event) => event.stopPropagation()}
    >
      {action === null ? t('worklist.open') : t(`worklist.${action}`)}
    </button>
  );
}
