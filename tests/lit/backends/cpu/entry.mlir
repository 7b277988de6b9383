// RUN: lamina-opt %s -t 'lamina-llvm{target="cpu:haswell"}' | filecheck %s
// RUN: lamina-opt %s -t 'lamina-asm{target="cpu:haswell"}' | filecheck %s --check-prefix=ASM

// Every function is an LLVM module of its own; the entry takes one table of pointers.

// CHECK:      ; @twice
// CHECK-NEXT: define void @twice(ptr noalias %x, ptr noalias %y) nounwind "target-cpu"="haswell"
func.func private @twice(%x: memref<8xf32>, %y: memref<8xf32>) {
  %a = vec.load %x[0] : memref<8xf32> -> vector<8xf32>
  %b = arith.addf %a, %a : vector<8xf32>
  vec.store %b, %y[0] : vector<8xf32>, memref<8xf32>
  func.return
}

// CHECK:      ; @main
// CHECK-NEXT: define void @main(ptr %pointer.table) nounwind
// CHECK-NEXT: entry:
// CHECK-NEXT:   %[[P0:.*]] = getelementptr ptr, ptr %pointer.table, i64 0
// CHECK-NEXT:   %x = load ptr, ptr %[[P0]], align 8
// CHECK-NEXT:   %[[P1:.*]] = getelementptr ptr, ptr %pointer.table, i64 1
// CHECK-NEXT:   %y = load ptr, ptr %[[P1]], align 8
// CHECK-NEXT:   %[[P2:.*]] = getelementptr ptr, ptr %pointer.table, i64 2
// CHECK-NEXT:   %arena = load ptr, ptr %[[P2]], align 8
// CHECK-NEXT:   %[[T:.*]] = getelementptr i8, ptr %arena, i64 64
// CHECK-NEXT:   call void @twice(ptr %x, ptr %[[T]])
// CHECK-NEXT:   call void @elsewhere(ptr %[[T]], ptr %y)
// CHECK-NEXT:   ret void
// CHECK-NEXT: }
// CHECK-NEXT: declare void @elsewhere(ptr, ptr) nounwind
// CHECK-NEXT: declare void @twice(ptr, ptr) nounwind

// ASM-LABEL: main:
// ASM:         callq twice@PLT
// ASM:         {{(jmp|callq)}} elsewhere@PLT
func.func private @elsewhere(memref<8xf32>, memref<8xf32>)

func.func @main(%x: memref<8xf32> {lamina.input = "x"}, %y: memref<8xf32> {lamina.output = "y"},
                %arena: memref<96xi8> {lamina.arena}) attributes {lamina.entry} {
  %0 = arith.constant 64 : index
  %t = memref.view %arena[%0][] : memref<96xi8> to memref<8xf32>
  func.call @twice(%x, %t) : (memref<8xf32>, memref<8xf32>) -> ()
  func.call @elsewhere(%t, %y) : (memref<8xf32>, memref<8xf32>) -> ()
  func.return
}
