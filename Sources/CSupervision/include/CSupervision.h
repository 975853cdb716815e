#ifndef CSUPERVISION_H
#define CSUPERVISION_H

#include "CSupervisionDescriptor.h"
#include "CSupervisionJournal.h"
#include "CSupervisionNotify.h"
#include "CSupervisionProcess.h"
#include "CSupervisionSignal.h"
#include "CSupervisionSocket.h"
#include "CSupervisionThread.h"

#endif
