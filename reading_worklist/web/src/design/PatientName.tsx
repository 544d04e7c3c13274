import type { Patient } from '../api/types';
import { formatAge } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import './patient.css';

interface NameProps {
  name: string;
  /** The same name in Latin letters, where the data has it beside another script; else empty. */
  latin?: string | null;
}

/** A name in its own script with its Latin letters beside it, for whoever reads only one of the two. */
export function Name({ name, latin = null }: NameProps) {
  const { t } = useLanguage();
  if (name === '') return <span className="patient-nameless">{t('patient.noName')}</span>;
  return (
    <>
      {name}
      <LatinName latin={latin} />
    </>
  );
}

/** The Latin letters alone, where a row has its own place for them; nothing where there are none. */
export function LatinName({ latin }: { latin: string | null }) {
  if (latin === null || latin === '') return null;
  return (
    <>
      {' '}
      <span className="patient-latin" lang="zh-Latn">
        {latin}
      </span>
    </>
  );
}

interface PatientNameProps {
  patient: Omit<Patient, 'id'>;
  /** Whether the Latin letters stand beside it; not where the page shows them elsewhere. */
  latin?: boolean;
}

/** The patient's name as a doctor reads it; a name whose character set was inferred is marked. */
export function PatientName({ patient, latin = true }: PatientNameProps) {
  const { t } = useLanguage();
  return (
    <>
      <Name name={patient.name} latin={latin ? patient.latin_name : null} />
      {patient.name_guessed && patient.name !== '' && (
        <abbr className="patient-guessed" title={t('patient.nameGuessed')}>
          ?
        </abbr>
      )}
    </>
  );
}

/** `女 67岁`, `F 67 y`; a dash when neither is known. */
export function SexAge({ patient }: { patient: Pick<Patient, 'sex' | 'age'> }) {
  const { t, language } = useLanguage();
  const sex = patient.sex === 'M' || patient.sex === 'F' || patient.sex === 'O' ? t(`sex.${patient.sex}`) : null;
  const age = patient.age === null ? null : formatAge(language, patient.age);
  return (
    <span className="patient-sex-age">{[sex, age].filter((part) => part !== null).join(' ') || t('app.none')}</span>
  );
}
