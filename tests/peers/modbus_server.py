"""A Modbus TCP server of pymodbus (3.9.2) that answers as two RDF302 thermostats (units 1 and 2). Prints the port, then serves;
prints each write as one line `write UNIT ADDRESS VALUE`. A peer for the tests: not our code on the other side of the wire."""
import asyncio
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.datastore import ModbusSlaveContext as UnitContext
from pymodbus.server import ModbusTcpServer


class Holding(ModbusSequentialDataBlock):
    """Holding registers 100.. of one unit; what is written is told, and shows in the input registers as it would."""

    def __init__(self, unit, inputs):
        super().__init__(0, [0] * 1200)
        self.unit, self.inputs = unit, inputs

    def setValues(self, address, values):
        super().setValues(address, values)
        for offset, value in enumerate(values if isinstance(values, list) else [values]):
            print(f"write {self.unit} {address + offset - 1} {value}", flush=True)
            if address + offset - 1 == 102:  # the comfort set-point is shown as the one in force
                self.inputs.setValues(1003 + 1, [value])


def unit(number):
    inputs = ModbusSequentialDataBlock(0, [0] * 1200)
    inputs.setValues(1000 + 1, [1, 33, 18 * 50, 20 * 50, 0, 0, 0, 0, 0, 0, 0, 0])
    holding = Holding(number, inputs)
    ModbusSequentialDataBlock.setValues(holding, 100 + 1, [1, 0, 20 * 50, 0, 0, 0, 0, 0, 0])
    # 3.9.2 takes the tables it is given only when discrete inputs are among them.
    bits = ModbusSequentialDataBlock(0, [0] * 16)
    return UnitContext(di=bits, co=bits, ir=inputs, hr=holding)


async def main():
    units = {1: unit(1), 2: unit(2)}
    context = ModbusServerContext(slaves=units, single=False)
    server = ModbusTcpServer(context, address=("127.0.0.1", int(sys.argv[1])))
    serving = asyncio.create_task(server.serve_forever())
    await asyncio.sleep(0.3)
    print("ready", flush=True)
    await serving


asyncio.run(main())
