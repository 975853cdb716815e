// SupervisionTesting
