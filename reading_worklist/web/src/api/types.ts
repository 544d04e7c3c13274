import type { components } from './schema';

type Schemas = components['schemas'];

export type Session = Schemas['SessionView'];
export type Workitem = Schemas['WorkitemView'];
export type WorkitemPage = Schemas['WorkitemPage'];
export type WorkitemDetail = Schemas['WorkitemDetail'];
export type Series = Schemas['SeriesView'];
export type QualityNote = Schemas['QualityNoteView'];
export type SeriesPicture = Schemas['SeriesPicture'];
export type Draft = Schemas['DraftView'];
export type Submission = Schemas['SubmissionView'];
export type ReportVersion = Schemas['VersionView'];
export type DeliveryStep = Schemas['DeliveryStep'];
export type Timeline = Schemas['Timeline'];
export type Patient = Schemas['PatientView'];
export type Study = Schemas['StudyView'];
export type Site = Schemas['SiteView'];
export type EcgRecord = Schemas['EcgRecordView'];
export type Verification = Schemas['VerificationView'];
export type Exam = Schemas['ExamView'];
export type ExamDetail = Schemas['ExamDetail'];
export type Delivery = Schemas['DeliveryView'];
export type DeliveryDetail = Schemas['DeliveryDetail'];
export type QuarantineRow = Schemas['QuarantineView'];

export type State = Workitem['state'];
export type Lane = Workitem['lane'];
export type Priority = Workitem['priority'];
export type DeliveryState = Delivery['state'];

/** The three texts of a report. */
export interface ReportText {
  findings: string;
  impression: string;
  advice: string;
}
