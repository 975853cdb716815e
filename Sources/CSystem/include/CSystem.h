#ifndef CSYSTEM_H
#define CSYSTEM_H

#include "CSystemDescriptor.h"
#include "CSystemNotify.h"
#include "CSystemProcess.h"
#include "CSystemSignal.h"
#include "CSystemSocket.h"
#include "CSystemThread.h"

#endif
