#ifndef CSUPERVISION_H
#define CSUPERVISION_H

#include "CSupervisionDatagram.h"
#include "CSupervisionDescriptor.h"
#include "CSupervisionMemory.h"
#include "CSupervisionNotify.h"
#include "CSupervisionPressure.h"
#include "CSupervisionProcess.h"
#include "CSupervisionRights.h"
#include "CSupervisionSignal.h"
#include "CSupervisionSocket.h"
#include "CSupervisionThread.h"
#include "CSupervisionVsock.h"

#endif
